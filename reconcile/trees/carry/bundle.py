"""The bundle: one zip file that is the far side's program: our own sources, msgpack's, stand-ins.

Made of the installed packages' sources, never by importing them. The same
sources give the same bytes (as long as zlib does), so a far side that has the
file under its hash has this very program.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files

from reconcile.trees.carry.closure import closure
from reconcile.trees.carry.older import check, for_older, parse
from reconcile.trees.carry.package import CODEC, FAR, LOADER, PACKAGE, SHIMS, Bundle

ENTRIES = ("reconcile.agent.main",)
_DATE = (1980, 1, 1, 0, 0, 0)


def make_bundle(entries: Sequence[str] = ENTRIES) -> Bundle:
    """The whole program. Raises: Unbundled, TooNew. A second or so: see `kept.py`."""
    shims = dict(_shims())
    tops = {name.split("/")[0].removesuffix(".py") for name in shims}
    members = dict(shims)
    for name, source in shims.items():
        # By its names alone a method of the codec's own is none of a later Python's.
        (parse if name.startswith(f"{CODEC}/") else check)(name, source)
    for name, source in closure(entries, find_source, tops).items():
        members[_file_of(name)] = for_older(name, source)
    names = [name.removesuffix(".py") for name in sorted(members) if name != "__main__.py"]
    members["names.txt"] = "\n".join(names).encode()
    data = _zipped(members)
    return Bundle(data, sha256(data).hexdigest())


def find_source(name: str) -> bytes | None:
    """The source of an installed module of ours; None when there is none of this name."""
    head, *rest = name.split(".")
    if head != PACKAGE:
        return None
    place = files(PACKAGE).joinpath(*rest)
    for file in (
        place.joinpath("__init__.py"),
        files(PACKAGE).joinpath(*rest[:-1], f"{name.split('.')[-1]}.py"),
    ):
        if file.is_file():
            return file.read_bytes()
    return None


def _file_of(name: str) -> str:
    """Where the module stands in the file."""
    path = name.replace(".", "/")
    rest = name.split(".")[1:]
    is_package = files(PACKAGE).joinpath(*rest, "__init__.py").is_file()
    return f"{path}/__init__.py" if is_package else f"{path}.py"


def _shims() -> Iterator[tuple[str, bytes]]:
    """(name in the file, bytes) of msgpack, which has a codec in Python, and of every stand-in."""
    stand_ins = files(PACKAGE).joinpath(SHIMS)
    todo = [("", stand_ins), (f"{CODEC}/", files(CODEC))]
    while todo:
        above, folder = todo.pop()
        for found in folder.iterdir():
            name = above + found.name.removeprefix(FAR)
            if found.is_dir() and found.name != "__pycache__":
                todo.append((f"{name}/", found))
            elif found.name.endswith(".py") and found.name != LOADER:
                yield name, found.read_bytes()


def _zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name, _DATE), members[name], zipfile.ZIP_DEFLATED)
    return target.getvalue()
