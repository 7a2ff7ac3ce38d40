"""Runs on the far side's bare Python: observes a tree, changes it, observes it again.

Prints what it saw, one line each: `root id`, files counted, content bytes read,
and the status of each step.
"""

import sys
import time

sys.path.insert(0, sys.argv[1])

from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import Header
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.trees.base import RunOptions
from reconcile.trees.copying import digest_of
from reconcile.trees.local import LocalTree
from reconcile.trees.looking import Settings
from reconcile.trees.observe import observe

HEADER = Header("sha256")
ROOT = sys.argv[2].encode("utf-8", "surrogateescape")
NEW = b"written over there"


class Nothing:
    """Where pages go that nobody wants."""

    def write(self, rows):
        """Drop them."""

    def forget(self, keys, subtrees):
        """Nothing to forget."""


class Given:
    """The content of the one step."""

    def read(self, step, offset):
        """It."""
        yield NEW[offset:]


def look():
    settings = Settings(HEADER, now_ns=time.time_ns())
    seen = observe(ROOT, settings, None, Nothing(), lambda tally: None)
    print(seen.root.id.hex(), seen.tally.files, seen.tally.hashed_bytes)


def change():
    want = Entry(b"new", Kind.FILE, len(NEW), 10**18, 0o755, digest_of(NEW, "sha256"))
    source = Source(Side.LEFT, b"new", want)
    step = Step(1, Side.RIGHT, Action.CREATE, b"new", b"new", None, want, source)
    tree = LocalTree(ROOT)
    tree.begin(RunOptions("r-test", header=HEADER), ())
    failed = tree.stage([step], Given())
    receipts = failed or tree.carry_out([step])
    tree.end()
    tree.close()
    print(*[receipt.status for receipt in receipts])


look()
change()
look()
