"""Telling: a story happens, in memory, and every run is held against the model.

python -m tests.stories.telling SEED        tells one story aloud
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome
from reconcile.model.entry import Kind
from reconcile.model.errors import ReconcileError
from reconcile.model.job import FilterRule, FilterSpec, Job
from reconcile.model.manifest import Header
from reconcile.model.plan import Side
from reconcile.model.policy import Limits, Rules
from tests.stories.model import Broken, Model, Moment, Told
from tests.stories.places import MemoryPlace, Place
from tests.stories.story import FILTERED, MODES, NFC, NFD, Act, Story, story_of

START_NS = 1_700_000_000_000_000_000
ANCHOR = b"anchor/file"
"""Nobody touches it: no side is ever empty."""


class Killed(BaseException):
    """The process is gone, as far as the engine can tell."""


class Telling:
    """One story, happening."""

    def __init__(self, story: Story, state: str, say: Callable[[str], None]) -> None:
        self._story = story
        self._say = say
        self._header = Header(tracked=story.tracked)
        self._model = Model(story.left, story.right, story.tracked)
        self._clock_ns = START_NS
        self._written = 0
        self.places = {
            side: MemoryPlace(side.value, kind, self._header)
            for side, kind in ((Side.LEFT, story.left), (Side.RIGHT, story.right))
        }
        self._job = Job(
            self.places[Side.LEFT].url,
            self.places[Side.RIGHT].url,
            state,
            tracked=story.tracked,
            limits=Limits(max_delete_share=None),
        )
        self._befallen: list[MemoryPlace] = []

    def tell(self) -> None:
        """All of it, and up to three runs more. Raises: Broken."""
        try:
            for place in self.places.values():
                place.write(ANCHOR, b"anchor", START_NS)
            for act in self._story.acts:
                self._say(str(act))
                self._happen(act)
            told = self._run(Act("run"))
            for _ in range(2):
                told = self._run(Act("run"))
            self._model.settled(told, self.now())
        finally:
            for place in self.places.values():
                place.close()

    def now(self) -> Moment:
        """Both sides as they are."""
        left, right = self.places[Side.LEFT], self.places[Side.RIGHT]
        return Moment(left.held(), right.held(), frozenset(left.kept() | right.kept()))

    def _happen(self, act: Act) -> None:
        self._clock_ns += 1 + act.value * 100_003
        place = self.places[act.side]
        match act.what:
            case "run":
                self._run(act)
            case "jump":
                self._clock_ns += (act.value - (1 << 15)) * 10_000_000_000
            case "swap" | "unmount":
                place.replace(empty=act.what == "unmount")
                self._befallen.append(place)
            case "fill":
                place.fill()
                self._befallen.append(place)
            case "kill":
                place.side.before = _killer(act.pick)
                self._befallen.append(place)
            case "twin":
                content = self._content()
                for side in Side:
                    self._edit(side, lambda each: each.write(act.path, content, self._clock_ns))
            case _:
                self._edit(act.side, lambda each: self._act(each, act))

    def _edit(self, side: Side, edit: Callable[[Place], None]) -> None:
        before = self.now()
        try:
            edit(self.places[side])
        except OSError as error:
            self._say(f"    nothing came of it: {error!r}")
        self._model.wrote(side, before, self.now())

    def _act(self, place: Place, act: Act) -> None:
        match act.what:
            case "write":
                place.write(act.path, self._content(), self._clock_ns)
                return
            case "mkdir":
                place.mkdir(act.path)
                return
            case "link":
                place.link(act.path, b"to-" + self._content())
                return
        held = {p: h for p, h in place.held().items() if not p.startswith(b"anchor")}
        files = sorted(path for path in held if held[path].kind == Kind.FILE)
        paths = sorted(held) if act.what in ("remove", "rename", "recase", "respell") else files
        if not paths:
            return
        path = paths[act.pick % len(paths)]
        self._say(f"    {path!r}")
        match act.what:
            case "edit":
                place.write(path, self._content(), self._clock_ns)
            case "remove":
                place.remove(path)
            case "rename":
                place.rename(path, act.path)
            case "recase" | "respell":
                above, slash, name = path.rpartition(b"/")
                place.rename(path, above + slash + _spelled(name, act.what))
            case "chmod":
                place.chmod(path, MODES[act.value % len(MODES)])
            case "touch":
                place.touch(path, self._clock_ns)
            case "tag":
                place.tag(path, b"%d" % act.value)

    def _content(self) -> bytes:
        self._written += 1
        return b"%d" % self._written

    def _run(self, act: Act) -> Told:
        before = self.now()
        told = self._told(act)
        for place in self._befallen:
            place.restore()
        self._befallen.clear()
        self._say(f"    {told}")
        self._model.ran(told, before, self.now())
        return told

    def _told(self, act: Act) -> Told:
        rules = Rules(policies=(act.policy,))
        hidden = (FilterRule(FILTERED),) if act.filtered else ()
        job = replace(self._job, rules=rules, filters=FilterSpec(hidden))
        try:
            outcome = apply_job(job, silent, lambda planning: planning.plan)
        except Killed:
            return Told(act.policy, killed=True, filtered=act.filtered)
        except ReconcileError as error:
            return Told(act.policy, refusal=f"{error.code} {error.message}")
        for ended in outcome.not_done:
            self._say(f"    {ended.step.action} {ended.step.at!r}: {ended.receipt}")
        steps = len(outcome.planning.plan.steps)
        return Told(act.policy, steps, _named(outcome), filtered=act.filtered)


def _named(outcome: Outcome) -> tuple[bytes, ...]:
    problems = (each.path for each in outcome.problems if each.path)
    return (*(each.path for each in outcome.conflicts), *problems)


def _killer(calls: int) -> Callable[[str], None]:
    left = calls

    def before(call: str) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Killed

    return before


def _spelled(name: bytes, how: str) -> bytes:
    if how == "respell":
        return name.replace(NFC, NFD) if NFC in name else name.replace(NFD, NFC)
    return name.decode().swapcase().encode()


def silently(line: str) -> None:
    """Nobody listens."""
    del line


def tell(story: Story, say: Callable[[str], None] = silently) -> Broken | None:
    """What is wrong with how the story went; None: nothing. Costs some 60 ms."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    state = tempfile.mkdtemp(prefix="reconcile-story-", dir=memory)
    try:
        Telling(story, state, say).tell()
    except Broken as broken:
        return broken
    except Exception as error:
        return Broken("no run ends in an error that is not its own", repr(error))
    finally:
        shutil.rmtree(state, ignore_errors=True)
    return None


def shortened(story: Story, broken: Broken) -> tuple[Story, Broken]:
    """The same law broken by as few acts as can be found by leaving out one at a time."""
    at = 0
    while at < len(story.acts):
        less = story._replace(acts=story.acts[:at] + story.acts[at + 1 :])
        again = tell(less)
        if again is not None and again.law == broken.law:
            story, broken = less, again
        else:
            at += 1
    return story, broken


def main() -> None:
    """Tell the story of the number that is given, then its shortest form."""
    story = story_of(int(sys.argv[1]))
    print(story)
    broken = tell(story, print)
    print(broken or "all laws hold")
    if broken is not None:
        story, broken = shortened(story, broken)
        print("\nshortest:", story, sep="\n")
        print(tell(story, print))


if __name__ == "__main__":
    main()
