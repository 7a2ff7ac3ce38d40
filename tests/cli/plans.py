"""Plans made by hand, for renderers: values in, text out."""

import msgspec

from reconcile.engine.outcome import Ended, Outcome, Planning
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import Header
from reconcile.model.plan import (
    Action,
    Conflict,
    GuardCheck,
    MadeFrom,
    Plan,
    Problem,
    Side,
    Source,
    Step,
)
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Tally

MINUTE_NS = 60_000_000_000
NOON_NS = 1_795_262_400_000_000_000
"""2026-11-21 12:00 UTC."""


def file(size: int, number: int = 1, *, mode: int = 0o644, mtime_ns: int = NOON_NS) -> Entry:
    return Entry(b"", Kind.FILE, size, mtime_ns, mode, bytes([number]) * 32)


DIRECTORY = Entry(b"", Kind.DIR, mode=0o755, id=b"\7" * 32)


class Script:
    """Numbers steps as they are added."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(
        self,
        action: Action,
        side: Side,
        path: str | bytes,
        expect: Entry | None,
        want: Entry | None,
        reason: str,
        old: str | None = None,
    ) -> None:
        place = TreePath(path.encode() if isinstance(path, str) else path)
        source = None
        if old is not None and want is not None:
            source = Source(side, TreePath(old.encode()), want)
        elif action in (Action.CREATE, Action.UPDATE) and want is not None:
            source = Source(side.other, place, want)
        self.steps.append(
            Step(
                id=len(self.steps) + 1, side=side, action=action, path=place, at=place,
                expect=expect, want=want, source=source, reason=reason,
            )
        )  # fmt: skip


def made_from(generation: int = 41) -> MadeFrom:
    return MadeFrom(
        pair="pair", left="/home/me/photos", right="/mnt/nas/photos", generation=generation,
        base_root=b"\1" * 32, left_root=b"\2" * 32, right_root=b"\3" * 32, header=Header(),
    )  # fmt: skip


def steps_of_mockup() -> tuple[Step, ...]:
    script = Script()
    right, left = Side.RIGHT, Side.LEFT
    big = 4_299_161
    script.add(Action.MKDIR, right, "2026/11", None, DIRECTORY, "new-at-left")
    script.add(Action.CREATE, right, "2026/11/harbour.jpg", None, file(big), "new-at-left")
    script.add(Action.CREATE, right, "2026/11/harbour.xmp", None, file(2048, 2), "new-at-left")
    script.add(Action.CREATE, left, "2026/10/scan-004.pdf", None, file(831_488), "new-at-right")
    script.add(Action.UPDATE, right, "index.md", file(3174), file(3482, 3), "changed-at-left")
    script.add(
        Action.MOVE, right, "2026/11/p1.jpg", None, file(5_242_880, 5), "moved-at-left", "in/p1.jpg"
    )
    script.add(
        Action.META, right, "bin/export.sh", file(9), file(9, mode=0o755), "mode-changed-at-left"
    )
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        script.add(
            Action.DELETE, left, f"2019/dup/{name}", file(4_963_290, 6), None, "deleted-at-right"
        )
    script.add(Action.RMDIR, left, "2019/dup", DIRECTORY, None, "deleted-at-right")
    return tuple(script.steps)


def conflicts_of_mockup() -> tuple[Conflict, ...]:
    todo = TreePath(b"notes/todo.txt")
    cover = TreePath(b"2024/cover.jpg")
    early = NOON_NS - 5 * MINUTE_NS
    return (
        Conflict("c-7k2", todo, "both-changed", file(1024), file(1229, 8),
                 file(1126, 9, mtime_ns=early)),
        Conflict("c-7k3", cover, "delete-edit", file(1), None, file(2_306_867, 9)),
    )  # fmt: skip


UNREADABLE = Problem(
    TreePath(b"2020/locked"), Side.RIGHT, "E_UNKNOWN", "permission denied; nothing is done there"
)


def mockup() -> Planning:
    plan = Plan(
        made_from(),
        steps_of_mockup(),
        conflicts=conflicts_of_mockup(),
        guards=(GuardCheck("max_delete", "25%", 3, True, "this plan deletes 3 of 12,479 files"),),
    )
    return planning(plan)


def planning(plan: Plan) -> Planning:
    return Planning(
        plan=plan,
        left=Tally(12_481, 100, 0, 41_017_245_696, 14, 5_242_880),
        right=Tally(12_479, 99, 0, 40_909_871_513, 0, 0),
        generation=plan.made_from.generation,
        baseline_time_ns=NOON_NS,
        duration_ns=3_000_000_000,
    )


def in_sync() -> Planning:
    return planning(Plan(made_from(), ()))


def first_run() -> Planning:
    plan = mockup().plan
    return planning(msgspec.structs.replace(plan, made_from=made_from(0), first_run=True))


def outcome(*, failed: bool = False) -> Outcome:
    made = mockup()
    ended: tuple[Ended, ...] = ()
    if failed:
        reason = "needs 2.1 GiB, 640 MiB are free"
        ended = (Ended(made.plan.steps[1], Receipt(2, Status.FAILED, "E_NO_SPACE", reason)),)
    return Outcome(
        run="r-01JD7Q",
        planning=made,
        done=11,
        done_bytes=5_136_128,
        not_done=ended,
        conflicts=made.plan.conflicts,
        problems=(UNREADABLE,) if failed else (),
        baseline_before=41,
        baseline_after=42,
        duration_ns=33_000_000_000,
        counts=(("right", "create", 2), ("right", "update", 1), ("left", "delete", 3)),
    )
