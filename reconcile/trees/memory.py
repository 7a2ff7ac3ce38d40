"""MemoryTree: the reference. What every tree must do, without a disk.

Read it to learn what the operations mean. Tests use it as a side whose content
is plain data, which can be edited between any two calls, and which can fail:
`trouble` is asked before each operation and may raise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

import msgspec

from reconcile.model.entry import Entry, Kind, same
from reconcile.model.errors import Locked, PathRefused, ReconcileError
from reconcile.model.manifest import DEFAULT_HEADER, Header, build
from reconcile.model.plan import Action, Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath, is_under, join, split
from reconcile.trees.base import ContentChanged, Observation, RunOptions, Supply, Tally
from reconcile.trees.hashing import new_hasher
from reconcile.trees.metadata import final_mode
from reconcile.trees.pruning import trouble
from reconcile.trees.receipts import done, failed, gone, stale
from reconcile.trees.staging import needs_content
from reconcile.trees.steps import in_order
from reconcile.trees.versions import VERSIONS, check_kept, text_of

Trouble = Callable[[str, TreePath], None]
"""(operation, path): may raise OSError (that path fails) or anything else (the run ends)."""

_BLOCK = 1 << 20


def no_trouble(operation: str, path: TreePath) -> None:
    """Nothing goes wrong."""
    del operation, path


class MemoryTree:
    """One side in memory. See `trees/base.py` for what each operation promises."""

    def __init__(self, name: str = "memory", header: Header = DEFAULT_HEADER) -> None:
        self.url = f"memory:{name}"
        self.abilities = Abilities()
        self.trouble: Trouble = no_trouble
        self.entries: dict[TreePath, Entry] = {}
        self.contents: dict[TreePath, bytes] = {}
        self.kept: dict[str, bytes] = {}
        """The version area: place -> content (or a link's target)."""
        self._header = header
        self._options: RunOptions | None = None
        self._staged: dict[int, bytes] = {}
        self._clock_ns = 0

    def put(self, path: bytes, content: bytes, mode: int = 0o644, mtime_ns: int = 0) -> Entry:
        """Somebody writes a file; directories above it come into being."""
        self._clock_ns += 1
        place = TreePath(path)
        self._make_parents(place)
        entry = Entry(
            split(place)[1],
            Kind.FILE,
            len(content),
            mtime_ns or self._clock_ns,
            mode,
            self._id(content),
        )
        self.entries[place], self.contents[place] = entry, content
        return entry

    def put_link(self, path: bytes, target: bytes) -> Entry:
        """Somebody makes a link."""
        place = TreePath(path)
        self._make_parents(place)
        self.entries[place] = Entry(split(place)[1], Kind.LINK, 0, 0, 0o777, target)
        return self.entries[place]

    def put_directory(self, path: bytes, mode: int = 0o755) -> Entry:
        """Somebody makes a directory."""
        place = TreePath(path)
        self._make_parents(place)
        self.entries[place] = Entry(split(place)[1], Kind.DIR, 0, 0, mode)
        return self.entries[place]

    def remove(self, path: bytes) -> None:
        """Somebody removes a name and all below it."""
        for place in [p for p in self.entries if is_under(p, TreePath(path))]:
            del self.entries[place]
            self.contents.pop(place, None)

    def observe(self, progress: Callable[[Tally], None]) -> Observation:
        """See `Tree.observe`."""
        self.trouble("observe", TreePath(b""))
        kinds = [entry.kind for entry in self.entries.values()]
        tally = Tally(
            kinds.count(Kind.FILE),
            kinds.count(Kind.DIR),
            kinds.count(Kind.LINK),
            sum(map(len, self.contents.values())),
        )
        progress(tally)
        return Observation(build(self.entries, self._header), (), self.url, True, tally)

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `Tree.read`."""
        self.trouble("read", path)
        content = self.contents.get(path, self.kept.get(text_of(path)))
        if content is None or self._id(content) != entry.id:
            raise ContentChanged
        for start in range(offset, len(content), _BLOCK):
            yield content[start : start + _BLOCK]

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.begin`."""
        del leftovers
        if self._options is not None:
            raise Locked("another run is writing to this root", where=self.url)
        self._options = options
        self._staged.clear()
        return ()

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `Tree.stage`."""
        self._begun()
        receipts = (self._stage(step, supply) for step in steps if needs_content(step))
        return [receipt for receipt in receipts if receipt is not None]

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `Tree.carry_out`."""
        self._begun()
        return in_order(steps, self._carry_out)

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.prune`."""
        self._begun()
        problems = [self._prune(place) for place in places]
        return [problem for problem in problems if problem is not None]

    def end(self) -> None:
        """See `Tree.end`."""
        self._options = None

    def close(self) -> None:
        """See `Tree.close`."""
        self.end()

    def _stage(self, step: Step, supply: Supply) -> Receipt | None:
        want = step.want
        assert want is not None
        try:
            self.trouble("stage", step.at)
            if self._is_there(step, want):
                return None
            content = b"".join(supply.read(step, 0))
            if self._id(content) != want.id:
                raise ContentChanged
        except ContentChanged:
            return stale(step, "the source changed meanwhile", "E_CHANGED_WHILE_READING")
        except OSError as error:
            return failed(step, error)
        self._staged[step.id] = content
        return None

    def _carry_out(self, step: Step) -> Receipt:
        try:
            self.trouble("carry_out", step.at)
            return self._act(step)
        except OSError as error:
            return failed(step, error)

    def _act(self, step: Step) -> Receipt:
        now, want = self.entries.get(step.at), step.want
        if want is None and now is None:
            return gone(step)
        if want is not None and self._is_there(step, want) and step.action is not Action.MOVE:
            return done(step, split(step.at)[1], None)
        if not self._is_as_expected(now, step.expect):
            return stale(step, "it is not what the plan saw")
        stays = want is not None and want.kind == Kind.DIR
        if now is not None and now.kind == Kind.DIR and not stays and self._has_below(step.at):
            return stale(step, "the directory is not empty")
        parent = split(step.at)[0]
        if parent and (parent not in self.entries or self.entries[parent].kind != Kind.DIR):
            raise FileNotFoundError(2, "no such file or directory")
        if step.action is Action.MOVE:
            return self._move(step)
        return self._set(step, now)

    def _move(self, step: Step) -> Receipt:
        source, want = step.source, step.want
        assert source is not None
        assert want is not None
        if not self._is_as_expected(self.entries.get(source.path), source.entry):
            return stale(step, "what was to be moved is not what the plan saw")
        for path in [p for p in self.entries if is_under(p, source.path)]:
            target = TreePath(step.at + path[len(source.path) :])
            self.entries[target] = self.entries.pop(path)
            if path in self.contents:
                self.contents[target] = self.contents.pop(path)
        return done(step, split(step.at)[1], None)

    def _set(self, step: Step, now: Entry | None) -> Receipt:
        want, place = step.want, ""
        content = self._staged.pop(step.id, None)
        if want is not None and needs_content(step) and content is None:
            return Receipt(step.id, Status.FAILED, "E_INTERNAL", "its content was not staged")
        if now is not None and now.kind != Kind.DIR and step.action is not Action.META:
            place = self._keep(step.at, now)
        if want is None:
            del self.entries[step.at]
            self.contents.pop(step.at, None)
            return gone(step, place)
        if step.action is not Action.META:
            self.contents.pop(step.at, None)
        if content is not None:
            self.contents[step.at] = content
        is_file = now is not None and now.kind == Kind.FILE
        mode = final_mode(want, now.mode if now and is_file else None, self._header.tracked)
        self.entries[step.at] = msgspec.structs.replace(want, name=split(step.at)[1], mode=mode)
        return done(step, split(step.at)[1], None, place.encode())

    def _keep(self, path: TreePath, now: Entry) -> str:
        assert self._options is not None
        if not self._options.versions:
            return ""
        top = text_of(VERSIONS + b"/" + self._options.run.encode() + b"/" + path)
        names = (top if number == 1 else f"{top}.~{number}~" for number in count(1))
        place = next(name for name in names if name not in self.kept)
        self.kept[place] = self.contents.get(path, now.id)
        return place

    def _prune(self, place: TreePath) -> Problem | None:
        try:
            check_kept(place)
            self.trouble("prune", place)
        except (OSError, PathRefused) as error:
            return trouble(place, error)
        self.kept.pop(text_of(place), None)
        return None

    def _is_there(self, step: Step, want: Entry) -> bool:
        now = self.entries.get(step.at)
        if now is not None and now.kind == want.kind == Kind.DIR:
            return not self._header.tracked.mode or now.mode & 0o777 == want.mode & 0o777
        return now is not None and same(now, want, self._header.tracked)

    def _is_as_expected(self, now: Entry | None, expect: Entry | None) -> bool:
        if now is None or expect is None:
            return now is expect
        if now.kind == expect.kind == Kind.DIR:
            return True
        if now.kind == Kind.FILE and now.mtime_ns != expect.mtime_ns:
            return False
        return same(now, expect, self._header.tracked)

    def _has_below(self, path: TreePath) -> bool:
        return any(p != path and is_under(p, path) for p in self.entries)

    def _make_parents(self, path: TreePath) -> None:
        parent = split(path)[0]
        if parent and parent not in self.entries:
            self.put_directory(parent)

    def _id(self, content: bytes) -> bytes:
        hasher = new_hasher(self._header.hash_name)
        hasher.update(content)
        return hasher.digest()

    def _begun(self) -> None:
        if self._options is None:
            raise ReconcileError("the run was not begun on this side", where=self.url)


def from_contents(
    things: Mapping[str, bytes | str | None], name: str = "memory", header: Header = DEFAULT_HEADER
) -> MemoryTree:
    """A tree from path -> content (bytes), link target (text) or directory (None)."""
    tree = MemoryTree(name, header)
    for path, thing in things.items():
        place = join(TreePath(b""), path.encode())
        if thing is None:
            tree.put_directory(place)
        elif isinstance(thing, str):
            tree.put_link(place, thing.encode())
        else:
            tree.put(place, thing)
    return tree
