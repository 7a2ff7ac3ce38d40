"""Worlds in which things wander: every file has content of its own, and is moved about.

What `tests/strategies.drifted` draws from few contents says nothing of moves: here
a content is on a side or it is not, whatever its name.
"""

from random import Random

from reconcile.model.entry import Entry, Kind
from reconcile.model.policy import Mode, Policy, Rules
from reconcile.model.treepath import ROOT, TreePath, is_under, join, rebase
from tests.decide.simulate import Things, World
from tests.trees_by_hand import file

NAMES = (b"a", b"b", b"c", b"d")
RULES = (
    Rules(),
    Rules(policies=(Policy.NEWER,), tie=Policy.RIGHT),
    Rules(policies=(Policy.LEFT,)),
    Rules(policies=(Policy.RIGHT,)),
    Rules(policies=(Policy.KEEP_BOTH,)),
    Rules(mode=Mode.MIRROR),
    Rules(policies=(Policy.LEFT,), detect_moves=False),
    Rules(policies=(Policy.RIGHT,), keep_deleted_edit=True),
)


class Wanderer:
    """Draws one world."""

    def __init__(self, random: Random, names: tuple[bytes, ...] = NAMES, *, count: int = 0) -> None:
        self._random = random
        self._names = names
        self._count = count

    def world(self, most: int = 5) -> World:
        """A base, and two sides that moved, edited, made and removed things."""
        base: Things = {}
        for _ in range(self._random.randint(1, 7)):
            self.make(base)
        left, right = dict(base), dict(base)
        for held in (left, right):
            for _ in range(self._random.randint(0, most)):
                self.act(held)
        return World(base, left, right)

    def act(self, held: Things) -> None:
        """One thing a person does."""
        deed = self._random.choice(
            (self.move, self.move, self.move, self.make, self.edit, self.remove)
        )
        deed(held)

    def make(self, held: Things) -> None:
        """A new file or directory at a free or taken name."""
        above = self._directory(held)
        if self._random.random() < 0.3:
            path = join(above, self._random.choice(self._names))
            held.setdefault(path, Entry(b"", Kind.DIR, mode=0o755))
            return
        self.put(held, join(above, self._random.choice(self._names)), self.new())

    def edit(self, held: Things) -> None:
        """Other content in a file."""
        files = sorted(path for path, entry in held.items() if entry.kind == Kind.FILE)
        if files:
            held[self._random.choice(files)] = self.new()

    def remove(self, held: Things) -> None:
        """A name and all below."""
        if held:
            _drop(held, self._random.choice(sorted(held)))

    def move(self, held: Things) -> None:
        """A name, with all below, to another place; what was there is gone."""
        if not held:
            return
        old = self._random.choice(sorted(held))
        above = self._directory(held)
        if is_under(above, old):
            return
        new = join(above, self._random.choice(self._names))
        if not is_under(old, new):
            self.shift(held, old, new)

    def shift(self, held: Things, old: TreePath, new: TreePath) -> None:
        """`old` and all below is `new` from now on."""
        moved = {rebase(path, old, new): held[path] for path in held if is_under(path, old)}
        _drop(held, old)
        _drop(held, new)
        held.update(moved)

    def put(self, held: Things, path: TreePath, entry: Entry) -> None:
        """The entry there, instead of whatever is."""
        _drop(held, path)
        held[path] = entry

    def new(self) -> Entry:
        """Content that nobody else has."""
        self._count += 1
        return file(f"content {self._count}", self._random.randint(1, 40))

    def _directory(self, held: Things) -> TreePath:
        found = [ROOT, *sorted(path for path, entry in held.items() if entry.kind == Kind.DIR)]
        return self._random.choice(found)


def _drop(held: Things, path: TreePath) -> None:
    for each in [each for each in held if is_under(each, path)]:
        del held[each]


def contents(held: Things) -> set[bytes]:
    """What its files hold."""
    return {entry.id for entry in held.values() if entry.kind == Kind.FILE and entry.size}
