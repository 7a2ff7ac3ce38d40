"""The bundle of what is installed here, made once and kept in the cache.

Making it parses every source that goes over, a second's work. It is kept under
a digest of the sources' names, sizes and times, in a directory that nobody else
can write to.
"""

import hashlib
import os
from collections.abc import Iterator
from importlib.util import find_spec

from reconcile import __version__
from reconcile.trees.carry.cache import open_cache, put, take
from reconcile.trees.carry.package import CODEC, Bundle, folder

_DIGEST = 32


def the_bundle(*, keep: bool = True) -> Bundle:
    """The bundle for the installed program. Without `keep` what is made is not put by.

    Raises: Unbundled, TooNew, which are faults of ours.
    """
    cache = open_cache(keep)
    try:
        name = f"near-{_sources()}.pyz"
        found = take(cache, name)
        if found is not None and hashlib.sha256(found[_DIGEST:]).digest() == found[:_DIGEST]:
            return Bundle(found[_DIGEST:], found[:_DIGEST].hex())
        from reconcile.trees.carry.bundle import make_bundle  # parsers: 30 ms to import

        bundle = make_bundle()
        if keep:
            put(cache, name, bytes.fromhex(bundle.sha256) + bundle.data)
        return bundle
    finally:
        if cache >= 0:
            os.close(cache)


def _sources() -> str:
    """A digest of what the bundle is made of, cheap to take: no file is opened."""
    digest = hashlib.sha256(__version__.encode())
    codec = find_spec(CODEC)
    places = [folder(), *((codec and codec.submodule_search_locations) or ())]
    for line in sorted(line for place in places for line in _stamps(place)):
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def _stamps(directory: str) -> Iterator[str]:
    try:
        found = list(os.scandir(directory))
    except OSError:
        return  # the package is no directory (a zip file): its version tells
    for entry in found:
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _stamps(entry.path)
        elif entry.name.endswith(".py"):
            status = entry.stat()
            yield f"{entry.path}\0{status.st_size}\0{status.st_mtime_ns}\n"
