"""A sink that begins its transaction only when a scan has something to write."""

from collections.abc import Callable, Sequence

from reconcile.model.manifest import PageRow
from reconcile.trees.observe import Sink


class LazySink:
    """Passes on to the sink that `begin` makes, once there is a first page."""

    def __init__(self, begin: Callable[[], Sink]) -> None:
        self._begin = begin
        self._sink: Sink | None = None

    @property
    def was_used(self) -> bool:
        """Something was written or forgotten."""
        return self._sink is not None

    def begin(self) -> Sink:
        """The sink behind, made if need be."""
        if self._sink is None:
            self._sink = self._begin()
        return self._sink

    def write(self, rows: Sequence[PageRow]) -> None:
        """See `Sink.write`."""
        if rows:
            self.begin().write(rows)

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        """See `Sink.forget`."""
        if keys or subtrees:
            self.begin().forget(keys, subtrees)
