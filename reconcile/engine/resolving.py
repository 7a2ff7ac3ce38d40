"""Resolving: conflicts that stand, what is behind them, and the plan of a person's answers.

Looking reads only the state, and the sides where a text is asked for. Answering
is a `PlanMaker`: the ordinary apply locks, guards, asks, journals and keeps
what is superseded. What is decided there is `decide/chosen.py`.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from reconcile.decide.chosen import (
    Answer,
    Choice,
    Chosen,
    Ending,
    answers,
    only_chosen,
    top_of,
)
from reconcile.decide.registers import like_both
from reconcile.engine.bases import LIMIT_BYTES, Bases, content_at, contents, is_text
from reconcile.engine.events import silent
from reconcile.engine.known import KnownPair, begun, in_state, known_pairs
from reconcile.engine.merging import Merged, Texts, merge_texts, spelled
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import Outcome
from reconcile.engine.pairs import now_ns
from reconcile.engine.planning import Sight, judged_anyway
from reconcile.model.entry import Entry, Kind, same
from reconcile.model.errors import NotFound, ReconcileError, UsageError
from reconcile.model.job import Job
from reconcile.model.manifest import Manifest, walk
from reconcile.model.plan import Conflict, Plan, Side
from reconcile.model.treepath import TreePath, order_key
from reconcile.store.content import ContentStore
from reconcile.store.database import DATABASE_NAME
from reconcile.store.pairs import pairs as every_pair
from reconcile.store.records import Standing
from reconcile.store.state import Store, pair_directory


class OpenConflict(NamedTuple):
    """A conflict that stands, and where."""

    pair: KnownPair
    standing: Standing

    @property
    def conflict(self) -> Conflict:
        """As it was last seen."""
        return self.standing.conflict


def open_conflicts(state_dir: str, pairs: Iterable[str] = ()) -> Sequence[OpenConflict]:
    """What stands in every pair of the state, or in those named; by pair, then path.

    What `diff` and `apply` saw last counts. Of all, a state that cannot be read hides no other.
    Raises: StateError, when that of a pair that was named cannot be read.
    """
    wanted = frozenset(pairs)
    found: list[OpenConflict] = []
    for name in sorted(wanted):
        _check_readable(pair_directory(state_dir, name))
    for pair in known_pairs(state_dir):
        if wanted and pair.pair not in wanted:
            continue
        with contextlib.suppress(ReconcileError):
            found += [OpenConflict(pair, each) for each in _standing(pair)]
    return tuple(found)


def _check_readable(directory: str) -> None:
    if os.path.lexists(os.path.join(directory, DATABASE_NAME)):
        Store.open(directory, create=False).close()


def unread_pairs(state_dir: str) -> Sequence[str]:
    """The pairs whose conflicts nobody can tell: their states cannot be read."""
    return tuple(record.pair for record in every_pair(state_dir) if record.damage)


def _standing(pair: KnownPair) -> Sequence[Standing]:
    if not os.path.lexists(os.path.join(pair.directory, DATABASE_NAME)):
        return ()
    return in_state(pair, lambda store: store.conflicts.standing())


def named(found: Sequence[OpenConflict], wanted: str) -> OpenConflict:
    """The one of `found` with this id, or with an id that alone begins so.

    Raises: NotFound; UsageError, when several do.
    """
    matching = begun(wanted, found, lambda each: each.conflict.id)
    if len(matching) == 1:
        return matching[0]
    if matching and matching[0].conflict.id == wanted:
        where = ", ".join(f"{each.pair.left} and {each.pair.right}" for each in matching[:3])
        hint = f"name its two sides as well: reconcile conflicts resolve {wanted} LEFT RIGHT"
        raise UsageError(f"{wanted} stands in several pairs: {where}", hint=hint)
    if matching:
        names = ", ".join(each.conflict.id for each in matching[:5])
        raise UsageError(f"several conflicts begin with `{wanted}`: {names}")
    from difflib import get_close_matches

    close = get_close_matches(wanted, [each.conflict.id for each in found], 1, 0.6)
    hint = f"did you mean {close[0]}? See: reconcile conflicts" if close else ""
    raise NotFound(f"no conflict `{wanted}` stands", hint=hint or "see: reconcile conflicts")


DELETED = "deleted"


class Behind(NamedTuple):
    """What a conflict's three entries hold: content, or why there is none to show."""

    base: bytes | str
    left: bytes | str
    right: bytes | str

    @property
    def base_text(self) -> bytes | None:
        """The base, when it is a text to compare and merge with."""
        is_small = isinstance(self.base, bytes) and len(self.base) <= LIMIT_BYTES
        return (
            self.base if isinstance(self.base, bytes) and is_small and is_text(self.base) else None
        )

    @property
    def sides(self) -> tuple[bytes, bytes] | None:
        """Both sides' texts; None: one of them has none."""
        if isinstance(self.left, bytes) and isinstance(self.right, bytes):
            return self.left, self.right
        return None

    @property
    def compared(self) -> tuple[bytes | None, bytes, bytes] | None:
        """Base, left and right, to be shown line by line; None: there is nothing to compare.

        Beside a deletion stands what the other side made of the base.
        """
        base = self.base_text
        if self.sides is not None:
            return base, *self.sides
        if base is not None and self.left == DELETED and isinstance(self.right, bytes):
            return base, base, self.right
        if base is not None and self.right == DELETED and isinstance(self.left, bytes):
            return base, self.left, base
        return None

    def merged(self) -> Merged | str:
        """Both sides' changes in one text, with markers where they meet."""
        sides, base = self.sides, self.base_text
        if sides is None:
            return "there are no two texts"
        if base is None:
            return f"no base text: {self.base if isinstance(self.base, str) else 'it is none'}"
        return merge_texts(Texts(base, *sides))


class Below(NamedTuple):
    """A name below a conflict's directory that a side changed since the baseline."""

    side: Side
    sign: str
    """`+` new, `-` gone, `~` changed."""
    path: TreePath


_MOST_BELOW = 20_000


class Sides:
    """One pair, open for looking at what is behind its conflicts."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._bases = Bases(opened)

    def behind(self, conflict: Conflict) -> Behind:
        """Read now, and verified to be what the conflict says."""
        return Behind(
            self.base(conflict), self.side(conflict, Side.LEFT), self.side(conflict, Side.RIGHT)
        )

    def merged(self, conflict: Conflict) -> Merged | str:
        """Both sides' changes in one text; or why there is none."""
        return self.behind(conflict).merged()

    def below(self, conflict: Conflict) -> tuple[Below, ...]:
        """Where a side holds a directory: what it changed there, as the last scan saw it.

        By side, then path. Empty where there is no directory, or a very large one.
        """
        found: list[Below] = []
        with self._opened.store.reading():
            base = self._leaves(self._opened.base(), conflict.path)
            for side, entry in ((Side.LEFT, conflict.left), (Side.RIGHT, conflict.right)):
                if entry is None or entry.kind != Kind.DIR or conflict.kind == "meta":
                    continue
                seen = self._opened.store.manifest(side, header=self._opened.header)
                now = self._leaves(seen, spelled(conflict.path, entry))
                if base is None or now is None:
                    return ()
                found += [
                    Below(side, _sign(base.get(path), now.get(path)), path)
                    for path in sorted({*base, *now}, key=order_key)
                    if not same(base.get(path), now.get(path), self._opened.header.tracked)
                ]
        return tuple(found)

    def _leaves(self, manifest: Manifest, top: TreePath) -> dict[TreePath, Entry] | None:
        """Files and links below; None: too many to compare here."""
        some = list(islice(walk(manifest, top), _MOST_BELOW + 1))
        if len(some) > _MOST_BELOW:
            return None
        return {path: entry for path, entry in some if entry.kind in (Kind.FILE, Kind.LINK)}

    def base(self, conflict: Conflict) -> bytes | str:
        """What both last agreed on."""
        if conflict.base is None:
            return "there was none"
        if conflict.base.kind != Kind.FILE:
            return _kind_text(conflict.base)
        content = self._bases.content(conflict.path, conflict.base)
        return "its content is not kept" if content is None else content

    def side(self, conflict: Conflict, side: Side) -> bytes | str:
        """The side's text, when it is still what the conflict says."""
        entry = conflict.left if side is Side.LEFT else conflict.right
        if entry is None:
            return DELETED if conflict.base is not None else "absent"
        if entry.kind != Kind.FILE:
            return _kind_text(entry)
        if entry.size > LIMIT_BYTES:
            return "too large to compare by lines"
        try:
            tree, path = self._opened.tree(side), spelled(conflict.path, entry)
            content = content_at(tree, path, entry, self._opened.header.hash_name)
        except ReconcileError as error:
            return error.message
        if content is None:
            return "changed since, or it cannot be read"
        return content if is_text(content) else "no text: binary"


def _kind_text(entry: Entry) -> str:
    return f"a {'directory' if entry.kind == Kind.DIR else entry.kind.name.lower()}"


def _sign(then: Entry | None, now: Entry | None) -> str:
    if then is None:
        return "+"
    return "-" if now is None else "~"


@contextlib.contextmanager
def sides_of(job: Job) -> Iterator[Sides]:
    """The pair, open for reading; no lock is taken and nothing is written."""
    with Opened(job, silent, exclusive=False, keeps=False) as opened:
        yield Sides(opened)


class Decided(NamedTuple):
    """A conflict as a person saw it, and the answer."""

    conflict: Conflict
    choice: Choice
    content: bytes | None = None
    """Of CONTENT: what both sides are to hold."""


class Resolution:
    """The `PlanMaker` of a person's answers to conflicts of one pair."""

    def __init__(self, decided: Iterable[Decided]) -> None:
        """The last answer to a conflict counts."""
        self.decided = {each.conflict.path: each for each in decided}
        self._choices: dict[TreePath, Chosen] = {}
        self.answers: tuple[Answer, ...] = ()
        """What became of each, as far as the plan made last tells."""

    def __call__(self, opened: Opened, sight: Sight) -> Plan:
        """See `PlanMaker`. Contents that are chosen wait in the state when it returns."""
        entries = _Entries(opened)
        self._choices = {path: entries.chosen(each) for path, each in self.decided.items()}
        entries.flush()
        plan = only_chosen(judged_anyway(opened, sight, self._choices), self._choices)
        self.answers = answers(plan, self._choices)
        return plan

    def settle(self, outcome: Outcome) -> tuple[Answer, ...]:
        """The answers after the run: what was planned and not done has FAILED."""
        failed: dict[TreePath, str] = {}
        for ended in outcome.not_done:
            top = top_of(ended.step, self._choices)
            if top is not None:
                failed.setdefault(top, f"{ended.receipt.code}: {ended.receipt.detail}")
        self.answers = tuple(
            each._replace(ending=Ending.FAILED, note=failed[each.chosen.seen.path])
            if each.ending is Ending.DONE and each.chosen.seen.path in failed
            else each
            for each in self.answers
        )
        return self.answers


class _Entries:
    """Makes the entries that BASE and CONTENT want, and keeps their content in the state."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._bases = Bases(opened)
        self._kept: ContentStore = contents(opened)

    def chosen(self, decided: Decided) -> Chosen:
        conflict, choice = decided.conflict, decided.choice
        want: Entry | str | None = None
        if choice is Choice.BASE:
            want = self._base(conflict)
        elif choice is Choice.CONTENT:
            want = self._content(conflict, decided.content or b"")
        if isinstance(want, str):
            return Chosen(conflict, choice, None, want)
        return Chosen(conflict, choice, want)

    def _base(self, conflict: Conflict) -> Entry | str:
        base = conflict.base
        if base is None:
            return (
                "there is no base: both sides made it; delete it on one side if neither is wanted"
            )
        if base.kind == Kind.LINK:
            return base
        if base.kind != Kind.FILE:
            return "the base is a directory, which `restore` brings back"
        content = self._bases.content(conflict.path, base)
        if content is None:
            return "the base's content is not kept"
        return base if self._put(content) is not None else _UNWRITABLE

    def _content(self, conflict: Conflict, content: bytes) -> Entry | str:
        identifier = self._put(content)
        if identifier is None:
            return _UNWRITABLE
        files = [
            entry if entry is not None and entry.kind == Kind.FILE else None
            for entry in (conflict.base, conflict.left, conflict.right)
        ]
        base, left, right = files[0], files[1] or files[2], files[2] or files[1]
        want = Entry(b"", Kind.FILE, len(content), now_ns(), 0o644, identifier)
        if left is None or right is None:
            return want
        want = Entry(b"", Kind.FILE, len(content), now_ns(), left.mode, identifier)
        return like_both(want, base, left, right, self._opened.header.tracked)

    def flush(self) -> None:
        """What was put survives a power cut from now on."""
        self._kept.flush()

    def _put(self, content: bytes) -> bytes | None:
        return self._kept.put(content) if self._opened.is_writable else None


_UNWRITABLE = "the state cannot be written now, where the content would wait"
