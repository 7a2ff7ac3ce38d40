"""A plan that is longer than what is shown: what needs a look is never behind the cut."""

from reconcile.cli.prompt import question
from reconcile.cli.rows import Shown, rows_of
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.plan import Action, Conflict, MadeFrom, Plan, Problem, Side, Step
from reconcile.model.treepath import TreePath

MADE_FROM = MadeFrom("p", "/l", "/r", 1, b"", b"", b"", DEFAULT_HEADER)
FILE = Entry(b"f", Kind.FILE, size=1, id=b"1" * 32)


def step(number: int, action: Action, name: str) -> Step:
    path = TreePath(name.encode())
    old = FILE if action is Action.DELETE else None
    new = None if action is Action.DELETE else FILE
    return Step(number, Side.RIGHT, action, path, path, old, new)


CREATED = [step(number, Action.CREATE, f"a{number:03}") for number in range(1, 31)]
DELETED = [step(number, Action.DELETE, f"z{number:03}") for number in range(31, 35)]
AT = TreePath(b"zz")
PLAN = Plan(
    MADE_FROM,
    (*CREATED, *DELETED),
    conflicts=(Conflict("c-1", AT, "both-changed", None, FILE, FILE),),
    problems=(Problem(AT, Side.LEFT, "E_UNKNOWN", "unknown"),),
)


def test_creations_are_cut_before_conflicts_problems_and_deletions() -> None:
    for sort in ("path", "size", "class"):
        rows, gone = rows_of(PLAN, Shown(limit=10, sort=sort))

        assert sorted(row.cls for row in rows) == [
            "conflict",
            *["create"] * 4,
            *["delete"] * 4,
            "error",
        ]
        assert gone == {"create": 26}


def test_what_is_shown_keeps_its_order() -> None:
    rows, _ = rows_of(PLAN, Shown(limit=10))

    assert [row.path for row in rows] == sorted(row.path for row in rows)


def test_where_even_they_are_too_many_it_is_said_which() -> None:
    rows, gone = rows_of(PLAN, Shown(limit=3))

    assert {row.cls for row in rows} == {"conflict", "error", "delete"}
    assert gone == {"create": 30, "delete": 3}
    assert question(PLAN, gone) == (
        "Apply 34 changes (deletes 4 at right); not shown above: 30 create, 3 delete?"
    )


def test_nothing_is_cut_where_all_fits() -> None:
    assert rows_of(PLAN, Shown(limit=36))[1] == {}
    assert question(PLAN, {}) == "Apply 34 changes (deletes 4 at right)?"
