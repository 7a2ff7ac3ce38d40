"""Looks of an agent: how they are asked for, and how their answers are taken in."""

from collections.abc import Callable, Sequence

from reconcile.model.manifest import Header, PageRow
from reconcile.model.plan import Problem
from reconcile.trees import told
from reconcile.trees.base import Tally
from reconcile.trees.looking import Looking
from reconcile.trees.observe import Sink
from reconcile.trees.session import Session
from reconcile.wire import messages as m

_PAGES_LIMIT = 64 << 30
"""Bytes of pages taken in one observation; a tree of 500 million files stays below."""
_PROBLEMS_LIMIT = 256 << 20
"""Bytes of problems; a million paths that cannot be read stay below."""
_PROGRESS_LIMIT = 1 << 20
"""Times that progress is told; at five a second 58 hours."""


class Nowhere:
    """Takes pages that will be asked for again."""

    def write(self, rows: Sequence[PageRow]) -> None:
        """See `Sink.write`."""

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        """See `Sink.forget`."""


def until_seen(
    session: Session, problems: list[Problem], progress: Callable[[Tally], None]
) -> m.Seen:
    """What comes before the pages: problems are added to. Raises: ProtocolError."""
    times = 0
    room = _PROBLEMS_LIMIT
    while True:
        message = session.receive()
        if isinstance(message, m.Seen):
            return message
        if isinstance(message, m.Progress):
            times += 1
            progress(told.tally(message.tally))
        elif isinstance(message, m.Notes):
            some = [told.problem(each) for each in message.problems]
            problems += some
            room -= sum(len(each.path) + len(each.reason) + 100 for each in some) + 100
        else:
            raise told.broken(f"{type(message).__name__} during an observation")
        if times > _PROGRESS_LIMIT or room < 0:
            raise told.broken("an observation without end")


def asked_as(want: Looking) -> m.Observe:
    """The request for a look."""
    settings = want.settings
    return m.Observe(
        settings.header, want.spec, settings.links, settings.paranoid, want.cursor, want.keep,
        settings.accept_mounts,
    )  # fmt: skip


def take_rows(session: Session, sink: Sink, header: Header) -> None:
    """Pages into the sink until the last has come. Raises: ProtocolError."""
    taken = 0
    while True:
        message = session.receive()
        if isinstance(message, m.Done):
            return
        if not isinstance(message, m.Rows) or not message.rows:
            raise told.broken(f"{type(message).__name__} among pages")
        rows = [told.page(row, header) for row in message.rows]
        taken += sum(len(row.key) + len(row.block) + len(row.refs) + 100 for row in rows)
        if taken > _PAGES_LIMIT:
            raise told.broken("more pages than any tree has")
        sink.write(rows)
