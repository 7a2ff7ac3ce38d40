"""Diff: every path at which three trees differ, streamed. Facts, no judgement.

Descends only where ids differ, so its cost follows the changes. The planner
walks the same rows (`decide/scene.py`) but judges them on the way.
"""

from collections.abc import Iterator, Sequence

from reconcile.decide.rows import Asked, differing
from reconcile.decide.scene import Scene
from reconcile.model.difference import Difference, is_directory
from reconcile.model.entry import Kind
from reconcile.model.manifest import Manifest
from reconcile.model.policy import Rules


def differences(
    base: Manifest, left: Manifest, right: Manifest, rules: Rules
) -> Iterator[Difference]:
    """Every path at which the three trees are not all the same, in `order_key` order.

    A directory stands here only when it is one on some sides and not on all,
    or its own metadata differ; what lies below it follows. Without a baseline
    (`base.root` None) left and right are compared. Excluded names are left out,
    unknown ones are in. Memory: one page of each tree for every directory on
    the way; pages that all three share are not read.
    """
    scene = Scene(base, left, right, rules)
    trees: Sequence[Manifest | None] = (base if base.root else None, left, right)
    stack = [_below(scene, trees, scene.root)]
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
            continue
        kinds = [e.kind for e in (found.base, found.left, found.right) if e is not None]
        if Kind.IGNORED in kinds:
            continue
        if not _only_below(scene, trees, found):
            yield found
        if Kind.DIR in kinds:
            stack.append(_below(scene, trees, found))


def _below(
    scene: Scene, trees: Sequence[Manifest | None], above: Difference
) -> Iterator[Difference]:
    places = (
        (above.base, above.path),
        (above.left, above.left_at),
        (above.right, above.right_at),
    )
    asked = [
        tree if tree is None else Asked(tree, path if is_directory(entry) else None)
        for tree, (entry, path) in zip(trees, places, strict=True)
    ]
    for rows in differing(asked, scene.tracked, scene.pairing_in(above.left_at, above.right_at)):
        for row in rows:
            yield scene.difference(above, row)


def _only_below(scene: Scene, trees: Sequence[Manifest | None], found: Difference) -> bool:
    """All asked trees hold a directory here with the same metadata: it differs below only."""
    asked = [found.left, found.right] if trees[0] is None else [found.base, found.left, found.right]
    return all(map(is_directory, asked)) and all(
        entry is not None and found.left is not None and scene.same_meta(entry, found.left)
        for entry in asked
    )
