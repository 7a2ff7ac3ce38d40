"""The bundle's own start: its modules compiled once per Python, then the agent.

A zip file's modules are compiled at every start, which takes longer than a
small sync. So their code is kept beside the bundle, under its hash and the
interpreter's version, behind a digest of its own.
"""

import hashlib
import marshal
import sys
import zipimport
from importlib.machinery import ModuleSpec

_DIGEST = 32


def prepare(path, name, take, put):
    """From here on the modules of the bundle at `path` can be imported; it is not needed again."""
    archive = zipimport.zipimporter(path)
    label = "%s.%s-%x.code" % (name, sys.implementation.cache_tag, sys.hexversion)
    codes = _kept(take(label))
    if codes is None:
        codes = dict(_compiled(archive))
        packed = marshal.dumps(codes)
        put(label, hashlib.sha256(packed).digest() + packed)
    sys.meta_path.insert(0, Codes(codes))


def _kept(data):
    """The code of an earlier start; None when it is not whole."""
    if data is None or hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        return None
    return marshal.loads(data[_DIGEST:])  # our own file, and whole


def _compiled(archive):
    """(module, (is a package, code)) of everything in the bundle."""
    for file in archive.get_data("names.txt").decode().split("\n"):
        source = archive.get_data(file + ".py")
        code = compile(source, "<agent>/%s.py" % file, "exec", dont_inherit=True)
        is_package = file.endswith("/__init__")
        name = file[: -len("/__init__")] if is_package else file
        yield name.replace("/", "."), (is_package, code)


class Codes:
    """Imports modules from their code."""

    def __init__(self, codes):
        self._codes = codes

    def find_spec(self, name, path=None, target=None):
        """See `importlib.abc.MetaPathFinder`."""
        if name not in self._codes:
            return None
        is_package, code = self._codes[name]
        spec = ModuleSpec(name, self, origin=code.co_filename, is_package=is_package)
        spec.has_location = True
        return spec

    def create_module(self, spec):
        """See `importlib.abc.Loader`."""

    def exec_module(self, module):
        """See `importlib.abc.Loader`."""
        exec(self._codes[module.__name__][1], module.__dict__)
