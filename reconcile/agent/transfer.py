"""Transfer: contents to and from this side's tree."""

from collections.abc import Iterator

from reconcile.model.errors import PathRefused
from reconcile.model.treepath import TreePath, parse
from reconcile.trees.base import ContentChanged
from reconcile.trees.contents import Incoming, Outgoing, is_small
from reconcile.trees.local import LocalTree
from reconcile.trees.session import Session
from reconcile.wire import messages as m


class Transfer:
    """One root's contents, for one connection."""

    def __init__(self, session: Session, tree: LocalTree) -> None:
        self._session = session
        self._tree = tree

    def survey(self, request: m.Survey) -> None:
        """What is there already."""
        self._session.send(m.Needs(tuple(m.Need(step.id, "whole") for step in request.steps)))

    def stage(self, request: m.Stage) -> None:
        """Take contents in, beside their final names."""
        steps = [m.from_wire(step) for step in request.steps]
        supply = Incoming(self._session, request.coming, self._tree)
        receipts = self._tree.stage(steps, supply)
        supply.finish()
        self._session.send(m.Receipts(tuple(receipts)))

    def read(self, request: m.Read) -> None:
        """Send contents: all small ones packed first, then the others as streams."""
        out = Outgoing(self._session)
        files = [(file, parse(file.path)) for file in request.files]
        for file, path in files:
            if is_small(file.entry):
                try:
                    out.small(file.step, b"".join(self._blocks(file, path)))
                except (OSError, ContentChanged) as error:
                    out.failed(file.step, error)
        for file, path in files:
            if not is_small(file.entry):
                out.stream(file.step, self._blocks(file, path))
        out.flush()
        self._session.send(m.Done())

    def _blocks(self, file: m.Wanted, path: TreePath) -> Iterator[bytes]:
        """The file's content from its offset; never more than its entry says."""
        try:
            yield from self._tree.read(path, file.entry, file.offset)
        except PathRefused as error:
            raise ContentChanged from error
