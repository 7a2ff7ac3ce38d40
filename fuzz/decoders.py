"""Fuzzing of everything that reads a stranger's bytes: it decodes, or it says why not, and soon.

    python fuzz/decoders.py TARGET [SECONDS]        just fuzz TARGET [SECONDS]

Targets: `manifest` (a whole .rman, begun from the conformance vectors), `page` (what a
record holds, behind its hash), `plan` (a plan's body, behind its hash), `filters` (a
filter file). Any exception but the one promised is a finding; so are 25 seconds or
2 GiB. Needs the extra `fuzz` (atheris, on CPython 3.11 and 3.12).
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reconcile"]):
    from reconcile.decide.filters import compile_filter, parse_filter_file
    from reconcile.engine.plancheck import check_plan
    from reconcile.engine.planfile import SavedPlan
    from reconcile.model.codec import decode, encode, encode_entries
    from reconcile.model.entry import Entry, Kind
    from reconcile.model.errors import ConfigError, ManifestError
    from reconcile.model.job import FilterSpec, Job
    from reconcile.model.manifest import Header, walk
    from reconcile.model.plan import Action, MadeFrom, Plan, Side, Source, Step
    from reconcile.model.rman import Place, decode_list, decode_page, encode_page
    from reconcile.model.rman_read import RmanManifest, check_entries
    from reconcile.model.rman_verify import verify
    from reconcile.model.treepath import TreePath

VECTORS = Path(__file__).resolve().parents[1] / "manifests" / "v1"
DEFAULT_S = 60


class Bytes:
    """A file's bytes in memory, as the manifest readers want them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """A slice."""
        return self.data[offset : offset + length]

    def close(self) -> None:
        """Nothing is held."""


def manifest(data: bytes) -> None:
    """Read whole and by position: both refuse, or both accept."""
    try:
        verify(Bytes(data))
    except ManifestError:
        return
    for _ in walk(RmanManifest(Bytes(data))):
        pass


def page(data: bytes) -> None:
    """A record's content, whose hash was right."""
    for read in (lambda: check_entries(decode_page(data, 0), 0), lambda: decode_list(data, 0)):
        try:
            read()
        except ManifestError:
            continue


def plan(data: bytes) -> None:
    """A saved plan's body, whose hash was right."""
    try:
        check_plan(decode(data, SavedPlan).plan)
    except ManifestError:
        return


def filters(data: bytes) -> None:
    """The first line is a path, the rest a filter file."""
    path, _, text = data.partition(b"\n")
    try:
        compiled = compile_filter(FilterSpec(rules=parse_filter_file(text, "fuzz")))
    except ConfigError:
        return
    if compiled and path:
        compiled.excludes(TreePath(path), is_dir=False)
        compiled.excludes(TreePath(path), is_dir=True)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (manifest, page, plan, filters)
}


def seeds(name: str) -> list[bytes]:
    """Something valid to begin with: what msgspec refuses teaches the fuzzer nothing."""
    if name == "manifest":
        return [file.read_bytes() for file in sorted(VECTORS.glob("*/*.rman"))]
    if name == "filters":
        return [b"a/b.txt\n*.txt\n!/a/**/b.*\n[!a-z]?/\n", b"x y\n\\#x\\ \n"]
    file = Entry(b"f", Kind.FILE, 3, 1, 0o644, bytes(32), (("owner", b"1:1"),))
    folder = Entry(b"d", Kind.DIR, mode=0o755, id=bytes(32))
    if name == "page":
        return [encode_page(encode_entries((folder, file)), (Place(9, 99, bytes(32), 99),))]
    source = Source(Side.LEFT, TreePath(b"f"), file)
    step = Step(1, Side.RIGHT, Action.CREATE, TreePath(b"f"), TreePath(b"f"), None, file, source)
    made = Plan(MadeFrom("pair", "l", "r", 1, b"", b"", b"", Header()), (step,))
    return [encode(SavedPlan("p-1", made, Job("l", "r", ""), 1, 2, "host", "0"))]


def main() -> None:
    """Fuzz one target; libFuzzer ends the process, with 77 after a finding."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"which target? {', '.join(TARGETS)}")
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT_S
    with tempfile.TemporaryDirectory() as grown:
        for number, data in enumerate(seeds(name)):
            Path(grown, f"seed-{number}").write_bytes(data)
        words = [sys.argv[0], f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=25"]
        words += ["-max_len=65536", f"-artifact_prefix={tempfile.gettempdir()}/{name}-", grown]
        atheris.Setup(words, TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
