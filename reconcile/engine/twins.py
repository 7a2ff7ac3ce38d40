"""Twins: content that a side already holds under another name of the same directory.

A file that was copied comes to the other side as a creation. Where content
would have to travel for it, the side copies its own file instead. A hint only: what
is copied is verified like anything else, and where the copy fails the content
comes from where the plan has it.
"""

from collections.abc import Iterable, Mapping

import msgspec

from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError, StateError
from reconcile.model.manifest import Manifest, entries
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.treepath import TreePath, join, split

LEAST_BYTES = 1 << 10
"""Smaller files cost as little as their names."""


class Twins:
    """For one plan; `manifests` are the sides as they are known now."""

    def __init__(self, manifests: Mapping[Side, Manifest], steps: Iterable[Step]) -> None:
        self._manifests = manifests
        self._touched = {(step.side, step.at) for step in steps if step.action != Action.CREATE}
        self._touched.update(
            (step.source.side, step.source.path)
            for step in steps
            if step.source is not None and step.action == Action.MOVE and step.source.side
        )
        self._looked_at: tuple[Side, TreePath] | None = None
        self._here: dict[bytes, Entry] = {}

    def resourced(self, step: Step) -> Step:
        """The step with a twin of its content as its source; the same step when there is none."""
        want = step.want
        if (
            step.action != Action.CREATE
            or want is None
            or want.kind != Kind.FILE
            or want.size < LEAST_BYTES
            or (step.source is not None and step.source.side is step.side)
        ):
            return step
        parent, _ = split(step.at)
        twin = self._directory(step.side, parent).get(want.id)
        path = join(parent, twin.name) if twin is not None else step.at
        if twin is None or path == step.at or (step.side, path) in self._touched:
            return step
        return msgspec.structs.replace(step, source=Source(step.side, path, twin))

    def _directory(self, side: Side, parent: TreePath) -> Mapping[bytes, Entry]:
        """Content id -> file, of the files of one directory; of the latest one only."""
        if self._looked_at != (side, parent):
            self._looked_at = (side, parent)
            try:
                found = list(entries(self._manifests[side], parent))
            except (ManifestError, StateError):
                found = []
            self._here = {entry.id: entry for entry in found if entry.kind == Kind.FILE}
        return self._here
