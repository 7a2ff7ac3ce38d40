"""The baseline is made of what happened, and a side's index of what we wrote there."""

import hashlib

import pytest

from reconcile.decide.advance import (
    Settling,
    advance,
    restat,
    revise,
    side_edits,
    stat_keys,
)
from reconcile.model.block import page_key
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.manifest import (
    ABSENT,
    DEFAULT_HEADER,
    EMPTY,
    Header,
    Manifest,
    TreeManifest,
    build,
    walk,
)
from reconcile.model.plan import Action, Agreement, MadeFrom, Plan, Side, Source, Step
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.model.statrow import pack, unpack
from reconcile.model.treepath import ROOT, TreePath
from tests.decide.test_revise import CUTS, Stored

MADE_FROM = MadeFrom("p", "l", "r", 0, b"", b"", b"", DEFAULT_HEADER)


def path(text: str) -> TreePath:
    return TreePath(text.encode())


def file(content: str) -> Entry:
    return Entry(b"", Kind.FILE, id=hashlib.sha256(content.encode()).digest())


DIR = Entry(b"", Kind.DIR, mode=0o755)


def tree(names: dict[str, str | Entry]) -> TreeManifest:
    """`{"a": "content", "d/": "", "d/f": …}`."""
    things = {}
    for name, content in names.items():
        entry = DIR if name.endswith("/") else content
        things[path(name.rstrip("/"))] = entry if isinstance(entry, Entry) else file(entry)
    return build(things)


def shown(manifest: Manifest) -> set[str]:
    return {p.decode() + ("/" if e.kind == Kind.DIR else "") for p, e in walk(manifest)}


class Steps:
    """Makes steps with ascending numbers."""

    def __init__(self) -> None:
        self.made: list[Step] = []

    def put(
        self, name: str, want: Entry | None, side: Side = Side.RIGHT, *, moved_from: str = ""
    ) -> int:
        action = Action.MOVE if moved_from else Action.UPDATE if want else Action.DELETE
        source = Source(side, path(moved_from), want) if moved_from and want else None
        number = len(self.made) + 1
        where = path(name)
        self.made.append(Step(number, side, action, where, where, None, want, source))
        return number

    def plan(self, *agreements: Agreement) -> Plan:
        return Plan(MADE_FROM, tuple(self.made), agreements)


def test_a_path_enters_the_baseline_when_its_step_is_done() -> None:
    base, left = tree({"a": "1", "b": "1"}), tree({"a": "2", "b": "2"})
    steps = Steps()
    done = steps.put("a", file("2"))
    steps.put("b", file("2"))
    after = Stored.of(base).after(advance(base, steps.plan(), [done], left, base))
    assert after.root == tree({"a": "2", "b": "1"}).root


def test_a_deletion_that_was_done_leaves_the_baseline() -> None:
    base, left = tree({"d/": "", "d/f": "1"}), tree({})
    steps = Steps()
    done = [steps.put("d/f", None), steps.put("d", None)]
    assert advance(base, steps.plan(), done, left, base).root == EMPTY.root


def test_a_path_with_two_steps_waits_for_both() -> None:
    base = tree({"a": "1"})
    steps = Steps()
    first = steps.put("a", file("merged"), Side.LEFT)
    second = steps.put("a", file("merged"), Side.RIGHT)
    settling = Settling(steps.plan(), base, base)
    assert settling.settled(base, [first]) == {}
    assert settling.settled(base, [second]) == {path("a"): file("merged")}


def test_steps_done_in_an_earlier_part_of_the_run_count() -> None:
    base = tree({"a": "1"})
    steps = Steps()
    first = steps.put("a", file("m"), Side.LEFT)
    second = steps.put("a", file("m"), Side.RIGHT)
    settling = Settling(steps.plan(), base, base, done=[first])
    assert settling.settled(base, [second]) == {path("a"): file("m")}
    assert settling.settled(base, [second]) == {}


def test_sides_that_end_different_are_never_called_agreed() -> None:
    base = tree({"a": "1"})
    steps = Steps()
    done = [steps.put("a", file("x"), Side.LEFT), steps.put("a", file("y"), Side.RIGHT)]
    assert Settling(steps.plan(), base, base).settled(base, done) == {}


def test_the_last_step_of_a_side_counts() -> None:
    base = tree({"a": "1"})
    steps = Steps()
    done = [steps.put("a", None), steps.put("a", file("2"))]
    assert Settling(steps.plan(), base, base).settled(base, done) == {path("a"): file("2")}


@pytest.mark.parametrize("kind", [Kind.SPECIAL, Kind.UNKNOWN, Kind.IGNORED])
def test_the_baseline_never_holds_what_is_not_content(kind: Kind) -> None:
    base = tree({})
    steps = Steps()
    done = [steps.put("a", Entry(b"", kind, id=b"fifo"))]
    agreement = Agreement(path("b"), Entry(b"", kind, id=b"fifo"))
    assert advance(base, steps.plan(agreement), done, base, base).root == base.root


def test_a_move_takes_its_old_name_along() -> None:
    base = tree({"old": "1", "d/": ""})
    steps = Steps()
    done = [steps.put("d/new", file("1"), moved_from="old")]
    after = Stored.of(base).after(advance(base, steps.plan(), done, base, base))
    assert shown(after) == {"d/", "d/new"}


@pytest.mark.parametrize("batches", [[[1], [2]], [[2], [1]], [[1, 2]]])
def test_a_new_file_under_a_moved_files_old_name_stays(batches: list[list[int]]) -> None:
    base = Stored.of(tree({"a": "1"}))
    steps = Steps()
    steps.put("b", file("1"), moved_from="a")
    steps.put("a", file("2"))
    settling = Settling(steps.plan(), base, base)
    for batch in batches:
        base = base.after(revise(base, settling.settled(base, batch)))
    assert base.root == tree({"a": "2", "b": "1"}).root


def test_an_agreement_needs_no_step() -> None:
    base, left = tree({"a": "1", "gone": "1"}), tree({"a": "2", "new": "3"})
    agreements = [
        Agreement(path("a"), file("2")),
        Agreement(path("new"), file("3")),
        Agreement(path("gone"), None),
    ]
    assert advance(base, Steps().plan(*agreements), [], left, left).root == left.root


def test_an_agreed_directory_is_taken_over_whole() -> None:
    left = tree({"d/": "", "d/f": "1", "d/e/": "", "d/e/g": "2", "d/i": Entry(b"", Kind.IGNORED)})
    entry = dict(walk(left))[path("d")]
    plan = Steps().plan(Agreement(path("d"), entry))
    after = Stored.of(EMPTY).after(advance(EMPTY, plan, [], left, left))
    assert shown(after) == {"d/", "d/f", "d/e/", "d/e/g"}
    assert after.root == left.root


def test_a_first_agreement_may_be_the_whole_tree() -> None:
    left = tree({"a": "1", "d/": "", "d/f": "1"})
    plan = Steps().plan(Agreement(ROOT, left.root))
    after = Stored.of(ABSENT).after(advance(ABSENT, plan, [], left, left))
    assert after.root == left.root
    assert after.rows == Stored.of(left).rows


def test_an_agreed_directory_that_left_does_not_hold_is_left_out() -> None:
    left = tree({"d/": "", "d/f": "1"})
    entry = dict(walk(tree({"d/": "", "d/f": "2"})))[path("d")]
    plan = Steps().plan(Agreement(path("d"), entry), Agreement(path("x"), entry))
    assert advance(EMPTY, plan, [], left, left).root == EMPTY.root


def test_an_agreed_directory_the_baseline_knows_is_not_copied_again() -> None:
    left = tree({"d/": "", "d/f": "1"})
    entry = dict(walk(left))[path("d")]
    revision = advance(left, Steps().plan(Agreement(path("d"), entry)), [], left, left)
    assert revision.rows == revision.grafts == ()


def test_directories_above_a_settled_file_are_there_as_well() -> None:
    sides = tree({"n/": "", "n/m/": "", "n/m/f": "1"})
    steps = Steps()
    done = [steps.put("n/m/f", file("1"))]
    after = Stored.of(EMPTY).after(advance(EMPTY, steps.plan(), done, sides, sides))
    assert shown(after) == {"n/", "n/m/", "n/m/f"}


def test_a_directory_now_on_both_sides_replaces_the_file_the_baseline_knew() -> None:
    base, sides = tree({"n": "file"}), tree({"n/": "", "n/f": "1"})
    steps = Steps()
    done = [steps.put("n/f", file("1"))]
    after = Stored.of(base).after(advance(base, steps.plan(), done, sides, sides))
    assert after.root == sides.root


def test_below_a_directory_whose_mode_is_undecided_nothing_is_settled() -> None:
    header = Header(tracked=Tracked(mode=True))
    wide, narrow = (
        build({path("n"): Entry(b"", Kind.DIR, mode=mode)}, header) for mode in (0o755, 0o700)
    )
    base = build({}, header)
    steps = Steps()
    done = [steps.put("n/f", file("1")), steps.put("g", file("1"))]
    settling = Settling(steps.plan(), wide, narrow)
    assert set(settling.settled(base, done)) == {path("g")}


# a side's own index


def receipt(number: int, entry: Entry | None, stamp: Fingerprint | None = None) -> Receipt:
    return Receipt(number, Status.DONE, entry=entry, fingerprint=stamp)


STAMP = Fingerprint(0o100644, 5, 1_000_000_001, 9_000_000_000, 77, 3)


def test_a_batch_edits_the_index_of_its_side_only() -> None:
    steps = Steps()
    one = steps.put("a", file("2"))
    two = steps.put("b", file("2"), Side.LEFT)
    receipts = [receipt(one, file("2"), STAMP), receipt(two, file("2"), STAMP)]
    found = side_edits(steps.made, receipts, Side.RIGHT)
    assert found.edits == {path("a"): file("2")}
    assert found.stamps == {path("a"): STAMP}


@pytest.mark.parametrize("status", [Status.STALE, Status.FAILED, Status.SKIPPED])
def test_what_was_not_done_changes_no_index(status: Status) -> None:
    steps = Steps()
    steps.put("a", file("2"))
    assert side_edits(steps.made, [Receipt(1, status)], Side.RIGHT) == ({}, {})
    assert side_edits(steps.made, [], Side.RIGHT) == ({}, {})


def test_an_index_follows_a_move_and_what_took_the_old_name() -> None:
    steps = Steps()
    steps.put("b", file("1"), moved_from="a")
    steps.put("c", file("1"), moved_from="b")
    steps.put("a", file("2"))
    receipts = [receipt(1, file("1"), STAMP), receipt(2, file("1"), STAMP), receipt(3, file("2"))]
    found = side_edits(steps.made, receipts, Side.RIGHT)
    assert found.edits == {path("a"): file("2"), path("b"): None, path("c"): file("1")}
    assert set(found.stamps) == {path("c")}


def row(name: bytes, mtime_ns: int = 1, ctime_ns: int = 2) -> tuple[bytes, int, int, int, int, int]:
    return (name, 0o100644, 5, mtime_ns, ctime_ns, 7)


def test_stat_rows_of_our_own_writes_are_those_of_the_next_lstat() -> None:
    side = Stored.of(tree({"a": "1", "b": "1", "d/": ""}))
    revision = revise(side, {path("b"): file("2"), path("d/n"): file("3"), path("e"): DIR})
    assert set(stat_keys(revision)) == {page_key(p) for p in (ROOT, path("d"), path("e"))}
    folder = (b"d", 0o40755, 3)
    old = {page_key(ROOT): pack([row(b"a"), row(b"b"), folder]), page_key(path("d")): pack([])}
    made = Fingerprint(0o40700, 0, 1, 2, 5, 3)
    stamps = {path("b"): STAMP, path("d/n"): STAMP, path("e"): made}
    stats = {r.key: unpack(r.stat) for r in restat(revision, old, stamps).rows}
    written = (0o100644, 5, 1_000_000_001, 9_000_000_000, 77)
    assert stats == {
        page_key(ROOT): [row(b"a"), (b"b", *written), folder, (b"e", 0o40700, 3)],
        page_key(path("d")): [(b"n", *written)],
        page_key(path("e")): [],
    }


@pytest.mark.parametrize(
    ("mtime_ns", "ctime_ns", "kept_ctime_ns"),
    [
        (1_000_000_001, 1_020_000_002, 1_020_000_002),
        (1_000_000_001, 1_020_000_001, 0),
        (1_000_000_000, 3_000_000_000, 0),
        (1_000_000_000, 3_100_000_001, 3_100_000_001),
    ],
    ids=["old enough", "the clock cannot tell", "whole seconds", "old enough in whole seconds"],
)
def test_a_file_too_young_for_the_clock_is_looked_at_again(
    mtime_ns: int, ctime_ns: int, kept_ctime_ns: int
) -> None:
    revision = revise(tree({}), {path("a"): file("1")})
    stamp = Fingerprint(0o100644, 5, mtime_ns, ctime_ns, 7, 3)
    (page,) = restat(revision, {}, {path("a"): stamp}).rows
    assert unpack(page.stat) == [(b"a", 0o100644, 5, mtime_ns, kept_ctime_ns, 7)]


def test_a_name_of_which_nothing_is_known_gets_no_stat_row() -> None:
    revision = revise(tree({"a": "1"}), {path("b"): file("2")})
    (page,) = restat(revision, {}, {}).rows
    assert unpack(page.stat) == []


def test_stat_rows_follow_names_from_page_to_page() -> None:
    start = int(CUTS[0][1:]) - 500
    names = [f"n{number:05}" for number in range(start, start + 1024)]
    side = Stored.of(tree(dict.fromkeys(names, "1")))
    revision = revise(side, {path("n99999"): file("1"), path("a"): file("1")})
    assert len(revision.rows) > 1
    old = {page_key(ROOT): pack([row(name.encode()) for name in names])}
    pages = [unpack(page.stat) for page in restat(revision, old, {}).rows]
    assert pages[0][0] == (b"", len(pages))
    assert [r for page in pages for r in page][1:] == [row(name.encode()) for name in names]
    single = side.after(revision)
    back = revise(single, {path("n99999"): None, path("a"): None})
    stats = {r.key: r.stat for r in restat(revision, old, {}).rows}
    (page,) = restat(back, stats, {}).rows
    assert page.stat == old[page_key(ROOT)]
