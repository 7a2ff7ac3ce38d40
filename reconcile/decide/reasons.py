"""Reasons and codes: the closed set of words a plan uses to say why. Shown by `diff`, `explain`."""

from reconcile.model.entry import Entry, Kind, Tracked, same
from reconcile.model.plan import Side

CONFLICT_COPY = "conflict-copy"
"""The version that lost its name is kept beside the other."""
MERGED = "merged"
"""Both sides' changes of one file are in it."""
GIVEN = "content-chosen"
"""What a person chose for both sides."""
UNDONE = "undone"
"""A run's step is taken back."""
RESTORED = "restored"
"""A kept version stands again."""
MOVED_BACK = "moved-back"
"""The new place of what was moved is given up: the old one is made again."""
RETURNED = (UNDONE, RESTORED, MOVED_BACK)
"""A side changes by what it had itself."""
FIRST_NEEDED = "directory-needed"
"""A directory for what comes into it, on a side where the other only implies it."""

UNKNOWN = "E_UNKNOWN"
"""Something is there that could not be established."""
SPECIAL = "E_SPECIAL"
"""A fifo, socket or device: never transferred."""
BLOCKED = "E_BLOCKED"
"""The change would destroy something that was not compared."""
RESIDUE = "E_RESIDUE"
"""A directory stays because excluded things lie in it."""
WAITS = "E_WAITS"
"""The old place of something that was moved stays, until the new one stands."""
RIGHTS = "E_RIGHTS"
"""The side may not send this change."""
READ_ONLY = "E_READ_ONLY"
"""The side cannot be written."""
NAME = "E_NAME_UNREPRESENTABLE"
"""The side cannot hold such a name."""
LINK = "E_LINK_UNREPRESENTABLE"
"""The side cannot hold links."""
TOO_LARGE = "E_TOO_LARGE"
"""The side cannot hold a file of that size."""
NO_TREE = "E_ROOT_MISSING"
"""A side has no tree at all."""


def one_sided(base: Entry | None, entry: Entry | None, side: Side) -> str:
    """`new-at-left`, `deleted-at-left`, `replaced-at-left`, `mode-changed-…`, `changed-…`."""
    if entry is None:
        word = "deleted"
    elif base is None:
        word = "new"
    elif base.kind != entry.kind:
        word = "replaced"
    elif base.id == entry.id and entry.kind != Kind.DIR:
        word = "mode-changed"
    else:
        word = "changed"
    return f"{word}-at-{side}"


def renamed(side: Side) -> str:
    """`moved-at-left`: the name changed there, the content did not."""
    return f"moved-at-{side}"


def won(side: Side) -> str:
    """`conflict-won-by-left`: a policy decided; `Step.rule` says which."""
    return f"conflict-won-by-{side}"


def mirrored(base: Entry | None, entry: Entry | None, tracked: Tracked) -> str:
    """`new-at-left` … in a mirror, where only left's state counts."""
    if base is None and entry is None:
        return "not-at-left"
    if same(base, entry, tracked):
        return "differs-from-left"
    return one_sided(base, entry, Side.LEFT)


def kind_word(entry: Entry) -> str:
    """`file`, `directory`, `link` …"""
    return "directory" if entry.kind is Kind.DIR else entry.kind.name.lower()
