"""Versions: the superseded content that is kept, and removing what is too much of it."""

from collections.abc import Callable, Sequence

from reconcile.decide.filters import compile_patterns
from reconcile.engine.events import Listener, silent
from reconcile.engine.history import NumberedVersion, kept_versions
from reconcile.engine.orphans import adopt
from reconcile.engine.pairs import pair_id
from reconcile.engine.pruning import Pruning, everything, prune
from reconcile.model.errors import UsageError
from reconcile.model.job import KEEP_ALL, Job
from reconcile.model.treepath import TreePath

Agree = Callable[[Pruning], bool]
"""Shown what goes, before anything does; False stops."""


def agreed(shown: Pruning) -> bool:
    """Agrees to whatever is too much."""
    del shown
    return True


def kept(job: Job, path: TreePath) -> tuple[NumberedVersion, ...]:
    """What the pair keeps of `path`, of the root: of every path."""
    adopt(job, silent)
    found = kept_versions(job.state_dir, pair_id(job.left, job.right), path or None)
    return tuple(version for each in found for version in each.versions)


def pruned(
    job: Job, only: str | Sequence[str], agree: Agree, listener: Listener, *, even_last: bool
) -> Pruning:
    """See `Pair.prune`."""
    if job.retention == KEEP_ALL:
        raise UsageError("how much is to be kept is not said", hint="versions_keep=5")
    if not only:
        return prune(job, listener, agree, everything, even_last=even_last)
    matches = compile_patterns([only] if isinstance(only, str) else list(only))
    return prune(job, listener, agree, lambda path: matches(path) is not None, even_last=even_last)
