"""ManifestTree: a manifest file as a side. It can be looked at; content it has none, and it keeps
nothing. Whoever would change it is refused before (`engine/manifest_sides.py`)."""

from collections.abc import Iterator, Sequence
from errno import EROFS
from typing import NoReturn

from reconcile.model.block import HashName
from reconcile.model.entry import Entry
from reconcile.model.errors import Denied
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions, Supply


class ManifestTree:
    """The `ChangeableTree` that changes nothing."""

    def __init__(self, url: str, hash_name: HashName) -> None:
        self.url = url
        self.abilities = Abilities(writable=False)
        self.hash_names = (hash_name,)

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `ChangeableTree.read`. Raises: OSError, always."""
        del path, entry, offset
        raise OSError(EROFS, "a manifest file holds no content")

    def token(self, token_id: str) -> bytes | None:
        """See `ChangeableTree.token`: it keeps none."""
        del token_id
        return None

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `ChangeableTree.begin`. Raises: Denied, always."""
        del options, leftovers
        self._refuse()

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `ChangeableTree.stage`. Raises: Denied, always."""
        del steps, supply
        self._refuse()

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `ChangeableTree.carry_out`. Raises: Denied, always."""
        del steps
        self._refuse()

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """See `ChangeableTree.prune`. Raises: Denied, always."""
        del places
        self._refuse()

    def end(self) -> None:
        """See `ChangeableTree.end`."""

    def close(self) -> None:
        """See `ChangeableTree.close`."""

    def _refuse(self) -> NoReturn:
        raise Denied("a manifest file cannot be changed", where=self.url, code="E_READ_ONLY")
