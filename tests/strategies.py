"""Random trees that are related: a base, and two sides that drifted from it.

Unrelated trees meet only in conflicts; what matters is what two people do to
one tree. So a small base is drawn, each side gets a few changes, and some
changes happen on both. `drifted` is fast and seeded, for loops of many
thousands; `worlds` draws the same thing for Hypothesis, which shrinks.
"""

from collections.abc import Callable, Sequence
from random import Random

from hypothesis import strategies

from reconcile.model.entry import Entry, Kind
from reconcile.model.treepath import TreePath, is_under, join, rebase, split
from tests.decide.simulate import Things, World
from tests.trees_by_hand import SECOND, file

NAMES = (b"a", b"b", b"c", b"d.txt")
ODD_NAMES = (b"e\xcc\x81", b"\xc3\xa9", b"\xff", b"A", b"x" * 200, b".h", b"a.b.c")
CONTENTS = ("p", "q", "r", "ss", "")
TARGETS = (b"a", b"../z")
DIRECTORY = Entry(b"", Kind.DIR, mode=0o755)


class Odds:
    """How wild the trees are."""

    def __init__(self, strange: float = 0.15, odd_names: bool = False) -> None:
        self.strange = strange
        """Chance of a world that holds unknown, special or excluded things."""
        self.names: Sequence[bytes] = NAMES + ODD_NAMES if odd_names else NAMES


USUAL = Odds()
TAME = Odds(strange=0.0)


def drifted(random: Random, odds: Odds = USUAL) -> World:
    """A base (sometimes none) and two sides that changed a little."""
    base: Things = {}
    for _ in range(random.randrange(1, 7)):
        _create(base, random, odds)
    left, right = dict(base), dict(base)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        _change(left, random, odds)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        _change(right, random, odds)
    if random.random() < 0.2:
        seed = random.randrange(1 << 30)
        _change(left, Random(seed), odds)
        _change(right, Random(seed), odds)
    if random.random() < odds.strange:
        _estrange(left, right, random)
    return World(None if random.random() < 0.1 else base, left, right)


def _change(side: Things, random: Random, odds: Odds) -> None:
    random.choice(_CHANGES)(side, random, odds)


def _create(side: Things, random: Random, odds: Odds) -> None:
    parent = random.choice([TreePath(b""), *_directories(side)])
    if parent.count(b"/") > 1:
        return
    path = join(parent, random.choice(odds.names))
    if path not in side:
        side[path] = _thing(random)


def _thing(random: Random) -> Entry:
    draw = random.random()
    if draw < 0.3:
        return DIRECTORY
    if draw < 0.38:
        return Entry(b"", Kind.LINK, mtime_ns=_time(random), mode=0o777, id=random.choice(TARGETS))
    return _file(random)


def _file(random: Random) -> Entry:
    return file(random.choice(CONTENTS), random.randrange(1, 9) * 2, random.random() < 0.2)


def _time(random: Random) -> int:
    return random.randrange(1, 9) * 2 * SECOND


def _edit(side: Things, random: Random, odds: Odds) -> None:
    path = _any(side, random)
    if path is not None and side[path].kind != Kind.DIR:
        side[path] = _file(random)


def _chmod(side: Things, random: Random, odds: Odds) -> None:
    path = _any(side, random)
    if path is not None and side[path].kind == Kind.FILE:
        entry = side[path]
        side[path] = Entry(b"", Kind.FILE, entry.size, entry.mtime_ns, entry.mode ^ 0o111, entry.id)


def _delete(side: Things, random: Random, odds: Odds) -> None:
    path = _any(side, random)
    if path is not None:
        _take_away(side, path)


def _replace(side: Things, random: Random, odds: Odds) -> None:
    path = _any(side, random)
    if path is not None:
        _take_away(side, path)
        side[path] = _thing(random)
        if side[path].kind == Kind.DIR and random.random() < 0.7:
            side[join(path, random.choice(odds.names))] = _file(random)


def _move(side: Things, random: Random, odds: Odds) -> None:
    path = _any(side, random)
    parent = random.choice([TreePath(b""), *_directories(side)])
    target = join(parent, random.choice(odds.names))
    if path is None or target in side or is_under(target, path) or parent.count(b"/") > 1:
        return
    moved = {rebase(p, path, target): e for p, e in side.items() if is_under(p, path)}
    _take_away(side, path)
    side.update(moved)


_CHANGES: tuple[Callable[[Things, Random, Odds], None], ...] = (
    _create,
    _create,
    _edit,
    _edit,
    _chmod,
    _delete,
    _delete,
    _replace,
    _move,
)


def _estrange(left: Things, right: Things, random: Random) -> None:
    """Something is excluded (mostly on both sides), unknown or special."""
    for _ in range(random.choice((1, 1, 2))):
        side = random.choice((left, right))
        path = _any(side, random)
        if path is None:
            return
        draw = random.random()
        if side[path].kind == Kind.DIR and random.random() < 0.6:
            path = join(path, b"i")
        if draw < 0.5:
            sides = (left, right) if random.random() < 0.7 else (side,)
            for each in sides:
                if path in each or (split(path)[0] in each and random.random() < 0.6):
                    _put_strange(each, path, Entry(b"", Kind.IGNORED))
        elif draw < 0.85:
            _put_strange(side, path, Entry(b"", Kind.UNKNOWN, id=b"EACCES"))
        else:
            _put_strange(side, path, Entry(b"", Kind.SPECIAL, id=b"fifo"))


def _put_strange(side: Things, path: TreePath, entry: Entry) -> None:
    parent = split(path)[0]
    if parent and side.get(parent, entry).kind != Kind.DIR:
        return
    _take_away(side, path)
    side[path] = entry


def _take_away(side: Things, path: TreePath) -> None:
    for each in [each for each in side if is_under(each, path)]:
        del side[each]


def _any(side: Things, random: Random) -> TreePath | None:
    return random.choice(list(side)) if side else None


def _directories(side: Things) -> list[TreePath]:
    return [path for path, entry in side.items() if entry.kind == Kind.DIR]


@strategies.composite
def worlds(draw: strategies.DrawFn, odds: Odds = USUAL) -> World:
    """The same worlds for Hypothesis: every choice is drawn, so that failures shrink."""
    return drifted(draw(strategies.randoms(use_true_random=False)), odds)
