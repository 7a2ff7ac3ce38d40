"""What people read, line by line. GOLDEN=1 pytest tests/cli writes the files; read the diff."""

from collections.abc import Callable

import msgspec
import pytest

from reconcile.cli.answer import print_planning
from reconcile.cli.look import Look
from reconcile.cli.render_error import error_lines
from reconcile.cli.render_outcome import guard_lines, outcome_lines, undo_lines
from reconcile.cli.verbs.show import document
from reconcile.decide.makers import Maker
from reconcile.engine.outcome import Planning
from reconcile.engine.planfile import PlanFile, SavedPlan
from reconcile.model.errors import Refused, RootMissing
from reconcile.model.job import Job
from reconcile.model.plan import Action, GuardCheck, Plan, Problem, Side
from reconcile.model.treepath import ROOT
from tests.cli import plans
from tests.cli.conftest import face_of

Golden = Callable[[str, str], None]
PIPE = Look()
TERMINAL = Look(colour=True, columns=80, is_terminal=True)
NARROW = Look(columns=60, is_terminal=True)
ASCII = Look(ascii_only=True)


def whole_directory(files: int) -> Planning:
    """A first mirror: one new directory of many files beside a moved one."""
    script = plans.Script()
    script.add(Action.MKDIR, Side.RIGHT, "new", None, plans.DIRECTORY, "new-at-left")
    for number in range(files):
        script.add(Action.CREATE, Side.RIGHT, f"new/{number:03}", None, plans.file(1024), "new")
    script.add(Action.MKDIR, Side.RIGHT, "there", None, plans.DIRECTORY, "moved-at-left")
    for name in ("x", "y"):
        script.add(
            Action.MOVE, Side.RIGHT, f"there/{name}", None, plans.file(10), "moved-at-left",
            f"here/{name}",
        )  # fmt: skip
    script.add(Action.RMDIR, Side.RIGHT, "here", plans.DIRECTORY, None, "moved-at-left")
    return plans.planning(Plan(plans.made_from(), tuple(script.steps)))


def strange_names() -> Planning:
    script = plans.Script()
    names = (b"[/b]", b"a\nb", b"\x1b[31mred", b"bad\xff", "a\u202eexe.txt".encode())
    for name in names:
        script.add(Action.CREATE, Side.LEFT, name, None, plans.file(1), "new-at-right")
    return plans.planning(Plan(plans.made_from(), tuple(script.steps)))


def with_problem() -> Planning:
    plan = msgspec.structs.replace(plans.mockup().plan, problems=(plans.UNREADABLE,))
    return plans.planning(plan)


def in_sync_over_a_carried_agent() -> Planning:
    """Nothing to do, and a note that every run over this connection brings."""
    note = Problem(ROOT, Side.RIGHT, "E_CARRIED_AGENT", "this pair's ids are sha256", "note")
    plan = msgspec.structs.replace(plans.in_sync().plan, problems=(note,))
    return plans.planning(plan)


CASES = {
    "diff": ("diff A B", PIPE, plans.mockup),
    "diff-terminal": ("diff A B", TERMINAL, plans.mockup),
    "diff-narrow": ("diff A B", NARROW, plans.mockup),
    "diff-40-columns": ("diff A B", Look(columns=40, is_terminal=True), plans.mockup),
    "diff-ascii": ("diff A B", ASCII, plans.mockup),
    "diff-full": ("diff A B --full", PIPE, plans.mockup),
    "diff-depth": ("diff A B --depth 1", PIPE, plans.mockup),
    "diff-limit": ("diff A B --limit 3 --sort size", PIPE, plans.mockup),
    "diff-only": ("diff A B --only delete,conflict", PIPE, plans.mockup),
    "diff-summary": ("diff A B --summary", PIPE, plans.mockup),
    "diff-quiet": ("diff A B -q", PIPE, plans.mockup),
    "diff-first-run": ("diff A B", PIPE, plans.first_run),
    "diff-in-sync": ("diff A B", PIPE, plans.in_sync),
    "diff-in-sync-quiet": ("diff A B -q", PIPE, plans.in_sync),
    "diff-in-sync-carried": ("diff A B", PIPE, in_sync_over_a_carried_agent),
    "diff-in-sync-carried-quiet": ("diff A B -q", PIPE, in_sync_over_a_carried_agent),
    "diff-errors-only": ("diff A B -qq", PIPE, plans.mockup),
    "diff-problem": ("diff A B", PIPE, with_problem),
    "diff-names": ("diff A B", PIPE, strange_names),
    "diff-directories": ("diff A B", PIPE, lambda: whole_directory(3)),
    "diff-many": ("diff A B", PIPE, lambda: whole_directory(201)),
    "diff-porcelain": ("diff A B --format porcelain", PIPE, with_problem),
    "diff-porcelain-names": ("diff A B --format porcelain", PIPE, strange_names),
}


@pytest.mark.parametrize("name", CASES)
def test_a_plan_as_text(
    name: str, golden: Golden, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    line, look, make = CASES[name]
    print_planning(face_of(line, look), make(), "p-9f31c2")
    golden(name, capfdbinary.readouterr().out.decode())


def test_porcelain_with_nul_holds_the_raw_names(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_planning(face_of("diff A B -z"), strange_names(), "p-9f31c2")
    found = capfdbinary.readouterr().out.split(b"\0")
    assert b".A create <- 1 a\nb" in found
    assert b".A create <- 1 bad\xff" in found


def test_nothing_but_the_answer_off_a_terminal_moves_the_cursor(
    utc: None, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for line, look, make in CASES.values():
        if look is PIPE:
            print_planning(face_of(line, look), make(), "p-9f31c2")
    found = capfdbinary.readouterr().out
    assert b"\x1b" not in found
    assert b"\r" not in found


def test_a_path_is_never_cut_off_a_terminal(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    script = plans.Script()
    name = "d/" * 60 + "f"
    script.add(Action.CREATE, Side.RIGHT, name, None, plans.file(1), "new-at-left")
    made = plans.planning(Plan(plans.made_from(), tuple(script.steps)))
    print_planning(face_of("diff A B"), made, "p-9f31c2")
    assert name.encode() in capfdbinary.readouterr().out
    print_planning(face_of("diff A B", NARROW), made, "p-9f31c2")
    assert name.encode() not in capfdbinary.readouterr().out


def test_a_long_name_pushes_only_its_own_row(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    script = plans.Script()
    long = "notes/2026/" + "minutes of the meeting " * 3 + "(conflict, right, 2026-11-21).txt"
    for name in ("a", "d/minutes of a longer meeting.txt", long):
        script.add(Action.CREATE, Side.RIGHT, name, None, plans.file(1), "new-at-left")
    script.add(Action.UPDATE, Side.RIGHT, "b", plans.file(3174), plans.file(3482), "changed")
    made = plans.planning(Plan(plans.made_from(), tuple(script.steps)))
    print_planning(face_of("diff A B --full"), made, "p-9f31c2")
    out = capfdbinary.readouterr().out.decode()
    rows = [row for row in out.splitlines() if " → right  " in row]
    [pushed] = [row for row in rows if "conflict, right" in row]
    assert pushed.endswith(".txt  1 B  new at left")
    others = [row for row in rows if row is not pushed]
    ends = {max(row.rfind("B  new"), row.rfind("B  changed")) for row in others}
    assert len(others) == 3
    assert len(ends) == 1


@pytest.mark.parametrize("failed", [False, True], ids=["done", "failed"])
def test_an_outcome_as_text(failed: bool, golden: Golden) -> None:
    lines = outcome_lines(plans.outcome(failed=failed), PIPE, "A B")
    golden(f"outcome-{'failed' if failed else 'done'}", "\n".join(lines) + "\n")


@pytest.mark.parametrize("failed", [False, True], ids=["done", "failed"])
def test_an_outcome_on_a_terminal_of_40_columns(failed: bool, golden: Golden) -> None:
    look = Look(columns=40, is_terminal=True)
    lines = outcome_lines(plans.outcome(failed=failed), look, "A B")
    assert max(map(len, lines)) <= 40
    golden(f"outcome-narrow-{'failed' if failed else 'done'}", "\n".join(lines) + "\n")


RUN = "r-01JD7Q"
NOT_KEPT = "What it replaced is not kept."
MADE, REPLACED = ("right", "create", 2), ("left", "update", 1)


@pytest.mark.parametrize(
    ("counts", "kept", "said"),
    [
        ((MADE, REPLACED), True, f"Undo this run: reconcile undo {RUN}"),
        ((MADE,), False, f"Undo this run: reconcile undo {RUN}"),
        ((MADE, REPLACED), False, f"{NOT_KEPT} Undo the rest: reconcile undo {RUN} --skip-changed"),
        ((REPLACED, ("right", "delete", 1)), False, f"It cannot be undone: {NOT_KEPT.lower()}"),
    ],
    ids=["kept", "only-made", "in-part", "not-at-all"],
)  # fmt: skip
def test_what_is_said_of_undoing_is_true(
    counts: tuple[tuple[str, str, int], ...], kept: bool, said: str
) -> None:
    assert undo_lines(RUN, counts, PIPE, kept=kept) == [said]


ERRORS = {
    "root": RootMissing(
        "there is no directory `/srv/photos`",
        where="/srv exists; it holds: backup media",
        changed='nothing (an absent root is never read as "everything was deleted")',
        hint="mount it, or correct the path\nor create it: mkdir /srv/photos",
    ),
    "guard": Refused(
        "this plan deletes 4,212 of 12,479 files at right (33.8%)",
        where="limit `max_delete` = 25% (default)",
        hint="look: reconcile diff A B --only delete; allow it: --max-delete 4212",
        code="E_MAX_DELETE",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_on_a_terminal(name: str, golden: Golden) -> None:
    golden(f"error-{name}", "\n".join(error_lines(ERRORS[name], NARROW)) + "\n")


def test_an_error_off_a_terminal_is_one_physical_line() -> None:
    error = RootMissing("no `a\nb`", where="x\ny", hint="one\ntwo")
    lines = error_lines(error, PIPE)
    said = r"error[E_ROOT_MISSING]: no `a\nb`; where: x, y; changed: nothing; try: one, two"
    assert lines == [f"{said}; more: reconcile help E_ROOT_MISSING"]
    assert "\n" not in lines[0]


def test_a_failing_guard_is_told_with_its_number() -> None:
    guard = GuardCheck("max_delete", "25%", 4212, False, "this plan deletes 4,212 files at right")
    plan = Plan(plans.made_from(), (), guards=(guard,))
    assert guard_lines(plan, PIPE) == [
        "guard max_delete: 4,212 where the limit is 25%; this plan deletes 4,212 files at right"
    ]


def test_a_guard_without_a_limit_is_told_with_its_reason_alone() -> None:
    guard = GuardCheck("root_changed", "", 1, False, "left is another directory")
    plan = Plan(plans.made_from(), (), guards=(guard,))
    assert guard_lines(plan, PIPE) == ["guard root_changed: left is another directory"]


def test_a_shown_plan_names_the_sides_that_apply_would_change() -> None:
    job = Job("/srv/left", "/srv/right", state_dir="")
    saved = SavedPlan("p-1", plans.mockup().plan, job, 1, 2, "host", "0")
    assert saved.plan.made_from.left != job.left
    shown = document(PlanFile("p.rplan", saved, Maker(0, 0, 0o600, 0, 0o700)), ["STALE"])
    assert (shown.left, shown.right, shown.notes) == ("/srv/left", "/srv/right", ["STALE"])
