"""Steps as they travel: seen from the side that carries them out."""

from reconcile.model.plan import Side, Source, Step
from reconcile.model.treepath import TreePath, parse
from reconcile.wire.messages import WireStep


def to_wire(step: Step, basis: TreePath | None = None) -> WireStep:
    """The step for the side that carries it out."""
    source = step.source
    own = source if source is not None and source.side is step.side else None
    return WireStep(
        step.id,
        step.action,
        step.at,
        step.expect,
        step.want,
        own.path if own else None,
        own.entry if own else None,
        step.needs,
        basis,
    )


def from_wire(wire: WireStep) -> Step:
    """The step as the far side sees it: its own side is RIGHT, other content comes from LEFT.

    Raises: PathRefused.
    """
    at = parse(wire.at)
    if wire.source_path is not None and wire.source_entry is not None:
        source: Source | None = Source(Side.RIGHT, parse(wire.source_path), wire.source_entry)
    else:
        source = None if wire.want is None else Source(Side.LEFT, at, wire.want)
    return Step(
        wire.id, Side.RIGHT, wire.action, at, at, wire.expect, wire.want, source, needs=wire.needs
    )
