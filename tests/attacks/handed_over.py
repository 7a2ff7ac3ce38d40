"""Files that a stranger hands over, made by whoever can compute a digest."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
from blake3 import blake3

from reconcile.engine.pairs import pair_id
from reconcile.engine.places import endpoint
from reconcile.engine.planfile import MAGIC, SavedPlan, plan_id
from reconcile.model.codec import encode
from reconcile.model.entry import Entry, Kind
from reconcile.model.job import Job
from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.plan import Action, MadeFrom, Plan, Side, Source, Step
from reconcile.model.treepath import TreePath

STRANGER = 65534
PROGRAM = str(Path(sys.executable).with_name("reconcile"))
FOR_EVER_NS = 9 * 10**18
HANGS_S = 60
"""Far more than any of these commands takes: whoever is not back by then hangs."""


class Ran(NamedTuple):
    """What a command line came to."""

    code: int
    out: str
    err: str


def run(*words: str, cwd: Path, env: dict[str, str] | None = None) -> Ran:
    """The program as its own process, with a state of its own in `cwd`/state and no terminal."""
    own = {
        "PATH": os.pathsep.join([str(Path(PROGRAM).parent), os.environ["PATH"]]),
        "HOME": str(cwd),
        "LC_ALL": "C.UTF-8",
        "RECONCILE_STATE_DIR": str(cwd / "state"),
        **(env or {}),
    }
    done = subprocess.run(
        [PROGRAM, *words], cwd=cwd, env=own, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=HANGS_S,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def creating(left: str, right: str, name: bytes, content: bytes) -> Plan:
    """A sound plan of a first run that copies the file `name` from left to right."""
    entry = Entry(name, Kind.FILE, len(content), 1, 0o644, blake3(content).digest())
    path = TreePath(name)
    step = Step(
        1, Side.RIGHT, Action.CREATE, path, path, None, entry, Source(Side.LEFT, path, entry)
    )
    return Plan(made_from(left, right), (step,), first_run=True)


def made_from(left: str, right: str) -> MadeFrom:
    """Of a pair that has agreed on nothing yet."""
    pair = pair_id(endpoint(left), endpoint(right))
    return MadeFrom(pair, left, right, 0, b"", b"", b"", DEFAULT_HEADER)


def forge(place: Path, plan: Plan, job: Job, *, uid: int | None = None, mode: int = 0o644) -> Path:
    """A plan file whose digest is right, whatever is in it; it belongs to `uid`."""
    saved = SavedPlan(plan_id(plan, 1), plan, job, 1, FOR_EVER_NS, "elsewhere", "0")
    write_body(place, encode(saved))
    place.chmod(mode)
    if uid is not None:
        os.chown(place, uid, uid)
    return place


def write_body(place: Path, body: bytes) -> None:
    """Any body behind a right length and a right digest."""
    place.write_bytes(MAGIC + len(body).to_bytes(8, "big") + blake3(body).digest() + body)


def tree_of(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Owner, mode and bytes of everything below `root`, and of itself."""
    found = {}
    for place in sorted([root, *root.rglob("*")]):
        status = place.lstat()
        regular = place.is_file() and not place.is_symlink()
        found[str(place)] = (status.st_uid, status.st_mode, place.read_bytes() if regular else b"")
    return found


def with_(job: Job, **changes: object) -> Job:
    """The job, changed."""
    return msgspec.structs.replace(job, **changes)
