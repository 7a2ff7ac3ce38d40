"""Against: another baseline than the newest to compare with, for looking.

`#41` or `41` names a generation, `r-…` the one after that run, a file of that
name a manifest, `none` no baseline at all.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from reconcile.engine.known import begun
from reconcile.model.errors import NotFound, UsageError
from reconcile.model.manifest import ABSENT, Header, Manifest, build, walk
from reconcile.store.records import Baseline, Run
from reconcile.store.state import Store
from reconcile.trees.open import is_manifest

if TYPE_CHECKING:
    from reconcile.engine.opened import Opened

NONE = "none"


class Reference(NamedTuple):
    """What is compared with."""

    name: str
    """As the plan and its reports tell it."""
    baseline: Baseline | None
    """None: no baseline. Number 0: a manifest file's tree."""
    manifest: Manifest


def resolve_reference(opened: "Opened", reference: str) -> Reference:
    """What `reference` names in this pair's state. Raises: NotFound, UsageError, ManifestError."""
    if reference == NONE:
        return Reference("no baseline", None, ABSENT)
    location = os.path.expanduser(reference)
    if is_manifest(location):
        return _of_file(opened, location)
    number = _number(opened.store, reference)
    found = next((each for each in opened.store.baselines.every() if each.number == number), None)
    if found is None:
        raise NotFound(
            f"there is no baseline #{number}", hint=f"there are: {_numbers(opened.store)}"
        )
    name = f"baseline #{number}"
    if found.root is None:
        return Reference(f"{name} (reset: nothing was agreed on)", None, ABSENT)
    manifest = opened.store.manifest("base", generation=number)
    return Reference(name, found, _under(opened.header, manifest, name))


def _of_file(opened: "Opened", location: str) -> Reference:
    from reconcile.trees.rman_file import open_rman

    manifest = open_rman(location)
    opened.on_exit(manifest.close)
    counts, root = manifest.counts, manifest.root
    seen = _under(opened.header, manifest, f"`{location}`")
    agreed = Baseline(
        0, 0, "", root, manifest.header, files=counts.files, size_bytes=counts.size_bytes
    )
    return Reference(f"{location}", agreed, seen)


def _number(store: Store, reference: str) -> int:
    digits = reference.removeprefix("#")
    if digits.isdecimal():
        return int(digits)
    if reference.startswith("r-"):
        return _after(_run(store.runs.every(), reference))
    raise UsageError(
        f"`{reference}` names no baseline",
        hint="#41 (a generation), r-… (a run), FILE.rman (a manifest), none",
    )


def _run(runs: Sequence[Run], reference: str) -> Run:
    found = begun(reference, runs, lambda run: run.id)
    if len(found) != 1:
        word = "several runs begin with" if found else "there is no run"
        raise NotFound(f"{word} `{reference}` of these two sides", hint="see: reconcile history")
    return found[0]


def _after(run: Run) -> int:
    if not run.baseline_after:
        raise NotFound(
            f"no baseline is known after run {run.id}",
            hint="it did not end, or an earlier version carried it out",
        )
    return run.baseline_after


def _numbers(store: Store) -> str:
    known = [each.number for each in store.baselines.every()]
    return f"#{known[-1]} to #{known[0]}" if known else "none yet"


def _under(header: Header, manifest: Manifest, name: str) -> Manifest:
    """The manifest with the ids that the sides are looked at with."""
    if manifest.header.hash_name != header.hash_name:
        raise UsageError(
            f"{name} was made with {manifest.header.hash_name}, the sides are looked at with "
            f"{header.hash_name}: nothing could be compared",
            hint=f"add --hash {manifest.header.hash_name}",
        )
    if manifest.header == header:
        return manifest
    return build(dict(walk(manifest)), header)
