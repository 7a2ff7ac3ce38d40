"""A saved plan is a stranger's bytes until every part of it was checked."""

import os
import stat
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.engine.planfile import MAGIC, SavedPlan, is_plan_file, load_plan, plan_id, save_plan
from reconcile.model.codec import encode
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import NotFound, PlanCorrupt, ReconcileError, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Action, Plan, Side, Source, Step
from reconcile.model.treepath import TreePath
from tests.cli import plans

PLAN = plans.mockup().plan
JOB = Job("/home/me/photos", "/mnt/nas/photos", state_dir="/var/lib/x")


def save(place: Path, plan: Plan = PLAN) -> SavedPlan:
    return save_plan(
        str(place), plan, job=JOB, created_ns=1, expires_ns=2, host="host", version="0"
    )


def forged(place: Path, plan: Plan) -> str:
    """A file that whoever can compute a digest may write."""
    saved = SavedPlan(plan_id(plan, 1), plan, JOB, 1, 2, "host", "0")
    body = encode(saved)
    place.write_bytes(MAGIC + len(body).to_bytes(8, "big") + blake3(body).digest() + body)
    return str(place)


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    place = tmp_path / "p.rplan"
    saved = save(place)
    loaded = load_plan(str(place)).saved
    assert loaded == saved
    assert loaded.plan == PLAN
    assert loaded.job.state_dir == ""
    assert saved.id == plan_id(PLAN, 1) != plan_id(PLAN, 2)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    place = tmp_path / "p.rplan"
    save(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_an_older_plan_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    place = tmp_path / "p.rplan"
    save(place)
    save(place, plans.in_sync().plan)
    assert load_plan(str(place)).plan.steps == ()
    letter = tmp_path / "letter.txt"
    letter.write_text("dear")
    with pytest.raises(UsageError):
        save(letter)
    assert letter.read_text() == "dear"
    assert sorted(os.listdir(tmp_path)) == ["letter.txt", "p.rplan"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        save(tmp_path / "no" / "p.rplan")
    with pytest.raises(UsageError):
        save(tmp_path)


def test_a_missing_plan_and_a_directory(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_plan(str(tmp_path / "p.rplan"))
    with pytest.raises(ReconcileError):
        load_plan(str(tmp_path))


def test_a_plan_is_known_by_name_or_first_bytes(tmp_path: Path) -> None:
    save(tmp_path / "p")
    assert is_plan_file(str(tmp_path / "p"))
    assert is_plan_file("missing.rplan")
    assert not is_plan_file(str(tmp_path))


@given(place=st.integers(0, 10**6), bits=st.integers(1, 255))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_is_noticed(tmp_path: Path, place: int, bits: int) -> None:
    target = tmp_path / "p.rplan"
    save(target)
    data = bytearray(target.read_bytes())
    data[place % len(data)] ^= bits
    target.write_bytes(data)
    with pytest.raises(PlanCorrupt):
        load_plan(str(target))
    target.unlink()


@given(length=st.integers(0, 10**6))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cut_is_noticed(tmp_path: Path, length: int) -> None:
    target = tmp_path / "p.rplan"
    save(target)
    data = target.read_bytes()
    target.write_bytes(data[: length % len(data)])
    with pytest.raises(PlanCorrupt):
        load_plan(str(target))
    target.unlink()


def test_bytes_behind_the_end_are_noticed(tmp_path: Path) -> None:
    target = tmp_path / "p.rplan"
    save(target)
    target.write_bytes(target.read_bytes() + b"x")
    with pytest.raises(PlanCorrupt):
        load_plan(str(target))


FILE = plans.file(3)
GOOD = Step(
    1, Side.RIGHT, Action.CREATE, TreePath(b"a"), TreePath(b"a"), None, FILE,
    Source(Side.LEFT, TreePath(b"a"), FILE),
)  # fmt: skip


def bent(**changes: object) -> Step:
    return msgspec.structs.replace(GOOD, **changes)


def at(path: bytes) -> Step:
    return bent(path=TreePath(path))


HOSTILE = [
    ("a path that leaves the root", at(b"../etc/passwd")),
    ("one that leaves it later", at(b"a/../../b")),
    ("an absolute path", at(b"/etc/passwd")),
    ("NUL", at(b"a\0b")),
    ("a dot", at(b"./a")),
    ("an empty name", at(b"a//b")),
    ("the root itself", at(b"")),
    ("a name of 300 bytes", at(b"x" * 300)),
    ("this side's spelling leaves the root", bent(at=TreePath(b"../a"))),
    ("the version store", at(b".reconcile/versions/r-1/a")),
    ("a name of ours", at(b"d/.rcn-0000000000000123")),
    ("the source leaves the root", bent(source=Source(Side.LEFT, TreePath(b"../a"), FILE))),
    ("a number out of order", bent(id=2)),
    ("it waits for itself", bent(needs=(1,))),
    ("it waits for a later one", bent(needs=(7,))),
    ("a create of nothing", bent(want=None)),
    ("a create without content", bent(source=None)),
    ("a deletion of nothing", bent(action=Action.DELETE, want=None, source=None)),
    ("a deletion that wants something", bent(action=Action.DELETE, expect=FILE)),
    ("an update of nothing", bent(action=Action.UPDATE)),
    ("a directory that is a file", bent(action=Action.MKDIR)),
    ("a move from the other side", bent(action=Action.MOVE)),
    ("a short content id", bent(want=Entry(b"", Kind.FILE, 1, id=b"x"))),
    ("a device", bent(want=Entry(b"", Kind.SPECIAL, id=b"block"))),
    ("a negative size", bent(want=Entry(b"", Kind.FILE, -1, id=b"x" * 32))),
    ("a link with NUL", bent(want=Entry(b"", Kind.LINK, id=b"a\0b"))),
]


@pytest.mark.parametrize(("claim", "step"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_hostile_step_is_refused(claim: str, step: Step, tmp_path: Path) -> None:
    plan = Plan(PLAN.made_from, (step,))
    with pytest.raises(PlanCorrupt):
        load_plan(forged(tmp_path / "p.rplan", plan))


def test_the_forger_is_believed_when_the_plan_is_sound(tmp_path: Path) -> None:
    plan = Plan(PLAN.made_from, (GOOD,))
    assert load_plan(forged(tmp_path / "p.rplan", plan)).plan == plan


def test_a_pair_that_leads_out_of_the_state_is_refused(tmp_path: Path) -> None:
    away = msgspec.structs.replace(PLAN.made_from, pair="../../elsewhere")
    with pytest.raises(PlanCorrupt):
        load_plan(forged(tmp_path / "p.rplan", Plan(away, ())))


def test_another_plan_s_id_is_refused(tmp_path: Path) -> None:
    saved = SavedPlan("p-000000000000", PLAN, JOB, 1, 2, "host", "0")
    body = encode(saved)
    place = tmp_path / "p.rplan"
    place.write_bytes(MAGIC + len(body).to_bytes(8, "big") + blake3(body).digest() + body)
    with pytest.raises(PlanCorrupt):
        load_plan(str(place))
