"""Every field of a plan, bent, behind a digest that is right: refused, or harmless.

Whatever stands in the file, reading, showing and applying it ends with a plain answer, runs
nothing, and changes nothing outside of the two roots; also when its maker is trusted.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile import ReconcileError, apply_plan, load_plan, plan_notes, report
from reconcile.engine.planfile import SavedPlan, plan_id
from reconcile.model.codec import decode, encode
from reconcile.model.errors import ManifestError
from reconcile.model.job import Job
from reconcile.model.treepath import TreePath
from tests.attacks.handed_over import FOR_EVER_NS, creating, forge, tree_of, write_body

Raw = Any  # msgpack of any shape: what a forger may write
HOSTILE = [
    b"../outside/kept", b"/etc/passwd", b".reconcile/versions/x", b"", b"a\0b", "ssh://h/x?config=/x",
    "../..", "/outside", "-oProxyCommand=x", "\x1b[2J", -1, 2**62, None, True, [], {}, b"x" * 70000,
]  # fmt: skip


def fields(value: Raw, way: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Where everything stands in a value that was decoded without a type."""
    if not isinstance(value, list):
        return [way]
    return [way, *(w for at, one in enumerate(value) for w in fields(one, (*way, at)))]


def bent(value: Raw, way: tuple[int, ...], to: Raw) -> Raw:
    if not way:
        return to
    return [bent(one, way[1:], to) if at == way[0] else one for at, one in enumerate(value)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("fields")
    (here / "outside").mkdir()
    (here / "outside" / "kept").write_bytes(b"outside\n")
    return here


def make(here: Path) -> None:
    """Two sides that never met: once a plan was carried out, every other one is too old."""
    for name in ("left", "right", "state"):
        shutil.rmtree(here / name, ignore_errors=True)
    for name in ("left", "right"):
        (here / name).mkdir()
    (here / "left" / "f").write_bytes(b"text\n")


def test_what_nobody_bent_is_carried_out(world: Path) -> None:
    make(world)
    plan = creating(str(world / "left"), str(world / "right"), b"f", b"text\n")
    place = forge(world / "e.rplan", plan, Job(plan.made_from.left, plan.made_from.right, ""))
    place.chmod(0o600)
    apply_plan(place, trust_owner=os.geteuid(), state_dir=world / "state")
    assert (world / "right" / "f").read_bytes() == b"text\n"


@pytest.mark.parametrize("at", [b"../outside/new", b"d/../../outside/new", b"..", b"/outside/new"])
def test_a_plan_that_is_all_of_one_piece_leads_nowhere_outside(world: Path, at: bytes) -> None:
    make(world)
    plan = creating(str(world / "left"), str(world / "right"), b"f", b"text\n")
    [step] = plan.steps
    assert step.want is not None
    want = msgspec.structs.replace(step.want, name=at.rpartition(b"/")[2])
    path = TreePath(at)
    steps = (msgspec.structs.replace(step, path=path, at=path, want=want),)
    job = Job(plan.made_from.left, plan.made_from.right, "")
    place = forge(world / "e.rplan", msgspec.structs.replace(plan, steps=steps), job, mode=0o600)
    before = tree_of(world / "outside")
    with pytest.raises(ReconcileError):
        apply_plan(place, trust_owner=os.geteuid(), state_dir=world / "state")
    assert tree_of(world / "outside") == before


@given(st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_bent_field_is_refused_or_harmless(world: Path, data: st.DataObject) -> None:
    make(world)
    left, right = str(world / "left"), str(world / "right")
    plan = creating(left, right, b"f", b"text\n")
    saved = SavedPlan(plan_id(plan, 1), plan, Job(left, right, ""), 1, FOR_EVER_NS, "h", "0")
    raw = msgspec.msgpack.decode(encode(saved))
    way = data.draw(st.sampled_from(fields(raw)))
    body = encode(bent(raw, way, data.draw(st.sampled_from(HOSTILE))))
    try:
        found = decode(body, SavedPlan)
        body = encode(msgspec.structs.replace(found, id=plan_id(found.plan, found.created_ns)))
    except ManifestError:
        pass  # refused by its shape; the file is tried all the same
    place = world / "e.rplan"
    write_body(place, body)
    place.chmod(0o600)
    before = tree_of(world / "outside")
    for ask in (
        lambda: plan_notes(load_plan(place), state_dir=world / "state"),
        lambda: report(load_plan(place), "html"),
        lambda: apply_plan(place, trust_owner=os.geteuid(), state_dir=world / "state"),
    ):
        try:
            ask()
        except ReconcileError:
            continue
    assert tree_of(world / "outside") == before
    assert set(os.listdir(world)) <= {"left", "right", "outside", "state", "e.rplan"}
