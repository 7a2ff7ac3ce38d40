"""A baseline under another set of tracked metadata: the same entries, ids made anew.

Cost: the whole tree, in memory. It happens once, when the set is changed.
"""

from reconcile.model.manifest import Header, Manifest, TreeManifest, build, walk


def retracked(manifest: Manifest, header: Header) -> TreeManifest:
    """The same tree with the ids that `header` asks for."""
    return build(dict(walk(manifest)), header)
