"""MemoryTree: the reference. What every tree must do, without a disk.

Read it to learn what the operations mean. Tests use it as a side whose content
is plain data, which can be edited between any two calls, and which can fail: `trouble` is asked
before each operation and may raise, and `room_bytes` may run out. It behaves by its `abilities`:
told that it folds case, or holds no modes, links or attributes, it does so (`trees/holding.py`).
"""

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

import msgspec

from reconcile.model.entry import Entry, Kind, same
from reconcile.model.errors import Locked, PathRefused, ReconcileError
from reconcile.model.manifest import DEFAULT_HEADER, Header, build
from reconcile.model.plan import Action, Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt, Status
from reconcile.model.token import decode_token
from reconcile.model.treepath import TreePath, is_under, join, split
from reconcile.trees.base import ContentChanged, Observation, RunOptions, Supply, Tally
from reconcile.trees.hashing import new_hasher
from reconcile.trees.holding import as_held, composed, name_key
from reconcile.trees.metadata import final_mode
from reconcile.trees.pruning import trouble
from reconcile.trees.receipts import done, failed, gone, stale
from reconcile.trees.staging import needs_content
from reconcile.trees.steps import in_order
from reconcile.trees.versions import VERSIONS, check_kept, text_of

Trouble = Callable[[str, TreePath], None]
"""(operation, path): may raise OSError (that path fails) or anything else (the run ends)."""

_BLOCK = 1 << 20
POSIX = Abilities()


def no_trouble(_operation: str, _path: TreePath) -> None:
    """Nothing goes wrong."""


class MemoryTree:
    """One side in memory. See `trees/base.py` for what each operation promises."""

    def __init__(
        self,
        name: str = "memory",
        header: Header = DEFAULT_HEADER,
        abilities: Abilities = POSIX,
        *,
        composes: bool = False,
    ) -> None:
        """`composes`: every name is kept in NFC, however it was given, as HFS+ keeps NFD."""
        self.url = f"memory:{name}"
        self.abilities = abilities
        self.room_bytes: int | None = None
        """What all content together may hold; None: no limit."""
        self.trouble: Trouble = no_trouble
        self.entries: dict[TreePath, Entry] = {}
        self.contents: dict[TreePath, bytes] = {}
        self.kept: dict[str, bytes] = {}
        """The version area: place -> content (or a link's target)."""
        self.tokens: dict[str, bytes] = {}  # the pairs', by ID
        self._header = header
        self._tracked = header.tracked
        self._composes = composes
        self._key = name_key(abilities)
        self._is_exact = not (composes or abilities.folds_case or abilities.folds_unicode)
        self._options: RunOptions | None = None
        self._staged: dict[int, bytes] = {}
        self._clock_ns = 0

    def put(self, path: bytes, content: bytes, mode: int = 0o644, mtime_ns: int = 0) -> Entry:
        """Somebody writes a file; directories above it come into being.

        Where a spelling of the name is there already, that file is written.
        Raises: OSError, when there is no room.
        """
        self._clock_ns += 1
        place = self._make_parents(TreePath(path))
        place = self._twin(place) or place
        self._need_room(len(content) - len(self.contents.get(place, b"")))
        made = Entry(
            split(place)[1],
            Kind.FILE,
            len(content),
            mtime_ns or self._clock_ns,
            mode,
            self._id(content),
        )
        self.contents[place] = content
        return self.hold(place, made)

    def put_link(self, path: bytes, target: bytes) -> Entry:
        """Somebody makes a link. Raises: OSError, where links are not held."""
        place = self._make_parents(TreePath(path))
        return self.hold(place, Entry(split(place)[1], Kind.LINK, 0, 0, 0o777, target))

    def put_directory(self, path: bytes, mode: int = 0o755) -> Entry:
        """Somebody makes a directory."""
        place = self._make_parents(TreePath(path))
        return self.hold(place, Entry(split(place)[1], Kind.DIR, 0, 0, mode))

    def rename(self, old: bytes, new: bytes) -> None:
        """Somebody gives a thing another name; where that is taken, it is replaced."""
        source = self._place(TreePath(old))
        target = self._make_parents(TreePath(new))
        taken = self._twin(target)
        if taken is not None and taken != source:
            self.remove(taken)
        self._carry(source, target)

    def chmod(self, path: bytes, mode: int) -> None:
        """Somebody changes the permissions; where modes are not held, nothing comes of it."""
        place = self._place(TreePath(path))
        self.hold(place, msgspec.structs.replace(self.entries[place], mode=mode))

    def remove(self, path: bytes) -> None:
        """Somebody removes a name and all below it."""
        top = self._place(TreePath(path))
        for place in [p for p in self.entries if is_under(p, top)]:
            del self.entries[place]
            self.contents.pop(place, None)

    def find(self, path: TreePath) -> TreePath | None:
        """What answers to `path`, as it is spelled here; None: nothing."""
        return self._twin(self._place(path))

    def hold(self, place: TreePath, entry: Entry) -> Entry:
        """`place` shows this entry from now on, as far as it can be held here."""
        self._refuse_link(entry)
        self.entries[place] = as_held(entry, self.abilities)
        return self.entries[place]

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
        content = self.contents.get(self._place(path), self.kept.get(text_of(path)))
        if content is None or self._id(content) != entry.id:
            raise ContentChanged
        for start in range(offset, len(content), _BLOCK):
            yield content[start : start + _BLOCK]

    def token(self, token_id: str) -> bytes | None:
        """See `Tree.token`."""
        return self.tokens.get(token_id, b"")

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.begin`."""
        del leftovers
        if self._options is not None:
            raise Locked("another run is writing to this root", where=self.url)
        self._options = options
        self._tracked = options.header.tracked
        self._staged.clear()
        if (left := decode_token(options.token)) is not None:
            self.tokens[left.id] = options.token
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
            self._need_room(len(content))
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
        at, want = self._place(step.at), step.want
        now = self.entries.get(at)
        if want is None and now is None:
            return gone(step)
        if want is not None and self._is_there(step, want) and step.action is not Action.MOVE:
            return self._done(step, at)
        if not self._is_as_expected(now, step.expect):
            return stale(step, "it is not what the plan saw")
        stays = want is not None and want.kind == Kind.DIR
        if now is not None and now.kind == Kind.DIR and not stays and self._has_below(at):
            return stale(step, "the directory is not empty")
        parent = split(at)[0]
        if parent and (parent not in self.entries or self.entries[parent].kind != Kind.DIR):
            raise FileNotFoundError(2, "no such file or directory")
        if step.action is Action.MOVE:
            return self._move(step, at)
        if now is None and self._twin(at) is not None:
            return stale(step, "another spelling of the name is there")
        return self._set(step, at, now)

    def _move(self, step: Step, at: TreePath) -> Receipt:
        source = step.source
        assert source is not None
        place = self._place(source.path)
        if not self._is_as_expected(self.entries.get(place), source.entry):
            return stale(step, "what was to be moved is not what the plan saw")
        if self._twin(at) not in (None, place):
            return stale(step, "another spelling of the name is there")
        self._carry(place, at)
        return self._done(step, at)

    def _carry(self, source: TreePath, target: TreePath) -> None:
        """A name and all below it, elsewhere."""
        for path in [p for p in self.entries if is_under(p, source)]:
            to = TreePath(target + path[len(source) :])
            entry = self.entries.pop(path)
            self.entries[to] = msgspec.structs.replace(entry, name=split(to)[1])
            if path in self.contents:
                self.contents[to] = self.contents.pop(path)

    def _set(self, step: Step, at: TreePath, now: Entry | None) -> Receipt:
        want, kept = step.want, ""
        content = self._staged.pop(step.id, None)
        if want is not None and needs_content(step) and content is None:
            return Receipt(step.id, Status.FAILED, "E_INTERNAL", "its content was not staged")
        if want is not None:
            self._refuse_link(want)
        if now is not None and now.kind != Kind.DIR and step.action is not Action.META:
            kept = self._keep(at, now)
        if want is None:
            del self.entries[at]
            self.contents.pop(at, None)
            return gone(step, kept)
        if step.action is not Action.META:
            self.contents.pop(at, None)
        if content is not None:
            self.contents[at] = content
        is_file = now is not None and now.kind == Kind.FILE
        mode = final_mode(want, now.mode if now and is_file else None, self._tracked)
        extra = want.extra if self._tracked.xattr or now is None else now.extra
        self.hold(at, msgspec.structs.replace(want, name=split(at)[1], mode=mode, extra=extra))
        return self._done(step, at, kept)

    def _done(self, step: Step, at: TreePath, kept: str = "") -> Receipt:
        """The receipt says what is held, whatever was wished."""
        receipt = done(step, split(at)[1], None, kept.encode())
        return msgspec.structs.replace(receipt, entry=self.entries[at])

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
        now, want = self.entries.get(self._place(step.at)), as_held(want, self.abilities)
        if now is not None and now.kind == want.kind == Kind.DIR:
            return not self._tracked.mode or now.mode & 0o777 == want.mode & 0o777
        return now is not None and same(now, want, self._tracked)

    def _is_as_expected(self, now: Entry | None, expect: Entry | None) -> bool:
        if now is None or expect is None:
            return now is expect
        if now.kind == expect.kind == Kind.DIR:
            return True
        if now.kind == Kind.FILE and now.mtime_ns != expect.mtime_ns:
            return False
        return same(now, expect, self._tracked)

    def _has_below(self, path: TreePath) -> bool:
        return any(p != path and is_under(p, path) for p in self.entries)

    def _make_parents(self, path: TreePath) -> TreePath:
        """Where `path` lies, with directories above it."""
        place = self._place(path)
        parent = split(place)[0]
        if parent and parent not in self.entries:
            self.put_directory(parent)
        return place

    def _refuse_link(self, entry: Entry) -> None:
        if entry.kind == Kind.LINK and not self.abilities.links:
            raise _error(errno.EPERM)

    def _need_room(self, more: int) -> None:
        held = (*self.contents.values(), *self.kept.values(), *self._staged.values())
        if self.room_bytes is not None and sum(map(len, held)) + more > self.room_bytes:
            raise _error(errno.ENOSPC)

    def _place(self, path: TreePath) -> TreePath:
        """Where `path` lies: what is above it as it is spelled here, its own name as asked."""
        if self._is_exact or not path:
            return path
        above, name = split(path)
        parent = self._place(above)
        if parent and parent not in self.entries:
            parent = self._twin(parent) or parent
        return join(parent, composed(name) if self._composes else name)

    def _twin(self, place: TreePath) -> TreePath | None:
        """What answers to the name at `place`, however it is spelled; None: nothing."""
        if place in self.entries or self._is_exact:
            return place if place in self.entries else None
        parent, name = split(place)
        wanted = self._key(name)
        beside = (p for p in self.entries if split(p)[0] == parent)
        return next((p for p in beside if self._key(split(p)[1]) == wanted), None)

    def _id(self, content: bytes) -> bytes:
        hasher = new_hasher(self._header.hash_name)
        hasher.update(content)
        return hasher.digest()

    def _begun(self) -> None:
        if self._options is None:
            raise ReconcileError("the run was not begun on this side", where=self.url)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def from_contents(
    things: Mapping[str, bytes | str | None],
    name: str = "memory",
    header: Header = DEFAULT_HEADER,
    abilities: Abilities = POSIX,
    *,
    composes: bool = False,
) -> MemoryTree:
    """A tree from path -> content (bytes), link target (text) or directory (None)."""
    tree = MemoryTree(name, header, abilities, composes=composes)
    for path, thing in things.items():
        place = join(TreePath(b""), path.encode())
        if thing is None:
            tree.put_directory(place)
        elif isinstance(thing, str):
            tree.put_link(place, thing.encode())
        else:
            tree.put(place, thing)
    return tree
