"""A pair whose runs are undone, looked at closely: bytes, modes, times, links."""

import os
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reconcile.engine.cycle import PlanMaker, apply_job, make_plan
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome
from reconcile.engine.planning import judged
from reconcile.engine.undoing import undo_maker
from reconcile.model.job import Job
from reconcile.model.plan import Plan, Side
from reconcile.model.policy import Limits, Policy, Rules
from tests.trees.looking import T0

Things = Mapping[str, bytes | str | None]
"""Path -> a file's content, a link's target, or None for a directory."""
NOTHING: Things = {}
Seen = dict[str, tuple[Any, ...]]
SECOND_NS = 10**9
UNGUARDED = Limits(max_delete_share=None, allow_empty=True)


class Undone:
    """Two directories of this machine, and their state."""

    def __init__(self, place: Path, left: Things = NOTHING, right: Things = NOTHING) -> None:
        self.roots = {side: place / side.value for side in Side}
        self.clock_ns = T0
        self.runs: list[str] = []
        for side, things in ((Side.LEFT, left), (Side.RIGHT, right)):
            self.roots[side].mkdir(parents=True)
            self.put(side, things)
        ends = [str(root) for root in self.roots.values()]
        self.job = Job(ends[0], ends[1], str(place / "state"), limits=UNGUARDED)

    def at(self, side: Side, path: str) -> Path:
        """Where a path of a side is."""
        return self.roots[side] / path

    def put(self, side: Side, things: Things, mode: int = 0o644) -> None:
        """Write, link or make directories; every one is younger than all before."""
        for path, thing in things.items():
            location = self.at(side, path)
            location.parent.mkdir(parents=True, exist_ok=True)
            self.clock_ns += 7 * SECOND_NS + 13
            if thing is None:
                location.mkdir(exist_ok=True)
            elif isinstance(thing, str):
                location.symlink_to(thing)
                os.utime(location, ns=(self.clock_ns,) * 2, follow_symlinks=False)
            else:
                location.write_bytes(thing)
                location.chmod(mode)
                os.utime(location, ns=(self.clock_ns,) * 2)

    def remove(self, side: Side, *paths: str) -> None:
        """Remove names and all below them."""
        for path in paths:
            location = self.at(side, path)
            if location.is_dir() and not location.is_symlink():
                shutil.rmtree(location)
            else:
                location.unlink()

    def run(self, *policies: Policy, make: PlanMaker = judged, **changes: Any) -> Outcome:
        """One apply, approved."""
        job = replace(self.job, **changes)
        if policies:
            job = replace(job, rules=replace(job.rules, policies=policies))
        return apply_job(job, silent, lambda planning: planning.plan, make)

    def undo(self, run: str, **how: bool) -> Outcome:
        """Take a run back."""
        return self.run(make=undo_maker(run, **how))

    def plan(self, make: PlanMaker = judged) -> Plan:
        """One diff."""
        return make_plan(self.job, silent, make).plan

    def seen(self) -> dict[Side, Seen]:
        """Both sides, without what is ours."""
        return {side: look(self.roots[side]) for side in Side}

    def differences(self) -> tuple[Any, Any]:
        """What a diff finds: its steps, and its conflicts."""
        plan = self.plan()
        steps = [
            (step.side, step.action, step.path, step.expect and step.expect.id,
             step.want and step.want.id)
            for step in plan.steps
        ]  # fmt: skip
        conflicts = [
            (each.id, each.kind, *(e and e.id for e in (each.base, each.left, each.right)))
            for each in plan.conflicts
        ]
        return sorted(steps), conflicts


def look(root: Path) -> Seen:
    """Everything about every name; of a directory its mode."""
    found: Seen = {}
    for top, directories, files in os.walk(root):
        if Path(top) == root and ".reconcile" in directories:
            directories.remove(".reconcile")
        for name in [*directories, *files]:
            location = Path(top, name)
            status = location.lstat()
            path = str(location.relative_to(root))
            if location.is_symlink():
                found[path] = ("link", os.readlink(location), status.st_mtime_ns)
            elif location.is_dir():
                found[path] = ("directory", status.st_mode)
            else:
                found[path] = (location.read_bytes(), status.st_mode, status.st_mtime_ns)
    return found


MODES = (0o644, 0o755, 0o600, 0o640, 0o711, 0o654)


def edit(pair: Undone, side: Side, dice: random.Random, times: int) -> None:
    """Somebody works there."""
    for _ in range(times):
        root = pair.roots[side]
        names = sorted(look(root))
        directories = ["", *(n for n in names if is_plain_directory(root / n))]
        fresh = os.path.join(dice.choice(directories), dice.choice("abcdefgh"))
        dice.choice(_EDITS)(pair, side, dice, fresh, dice.choice(names) if names else "")


def is_plain_directory(location: Path) -> bool:
    return location.is_dir() and not location.is_symlink()


def _create(pair: Undone, side: Side, dice: random.Random, fresh: str, name: str) -> None:
    del name
    if not os.path.lexists(pair.at(side, fresh)):
        thing = dice.choice([dice.randbytes(dice.randrange(30)), "a", "b/c", None])
        pair.put(side, {fresh: thing}, dice.choice(MODES))


def _change(pair: Undone, side: Side, dice: random.Random, fresh: str, name: str) -> None:
    del fresh
    location = pair.at(side, name)
    if location.is_file() and not location.is_symlink():
        content = dice.randbytes(dice.randrange(1, 30))
        pair.put(side, {name: content}, location.stat().st_mode & 0o777)


def _chmod(pair: Undone, side: Side, dice: random.Random, fresh: str, name: str) -> None:
    del fresh
    location = pair.at(side, name)
    if location.is_file() and not location.is_symlink():
        location.chmod(dice.choice(MODES))


def _rename(pair: Undone, side: Side, dice: random.Random, fresh: str, name: str) -> None:
    del dice
    old, new = pair.at(side, name), pair.at(side, fresh)
    if name and not os.path.lexists(new) and old not in new.parents:
        old.rename(new)


def _delete(pair: Undone, side: Side, dice: random.Random, fresh: str, name: str) -> None:
    del dice, fresh
    if name:
        pair.remove(side, name)


def _replace(pair: Undone, side: Side, dice: random.Random, fresh: str, name: str) -> None:
    """By something of another kind."""
    if name:
        _delete(pair, side, dice, fresh, name)
        below = {f"{name}/in": dice.randbytes(4)}
        pair.put(side, dice.choice([{name: dice.randbytes(5)}, {name: "target"}, below]))


Edit = Callable[[Undone, Side, random.Random, str, str], None]
_EDITS: tuple[Edit, ...] = (
    _create, _create, _create, _change, _change, _chmod, _rename, _delete, _replace,
)  # fmt: skip


def ruled(pair: Undone, **rules: Any) -> None:
    """Other rules from now on."""
    pair.job = replace(pair.job, rules=Rules(**rules))
