"""A plan file is data: it names no program, and a stranger's is not carried out.

Who can write a plan file can make its digest right, so the digest protects nobody
here. Whose file it is does, and that a plan's own word about where its sides are
is not enough for sides that nobody here knows.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile import Pair, UsageError, apply_plan, load_plan, plan_notes
from reconcile.model.job import Job, Retention
from reconcile.model.policy import Limits
from tests.attacks.handed_over import STRANGER, creating, forge, run, with_

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of somebody else")
TEXT = b"from the plan\n"


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    """Two directories, `left` with one file."""
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    (tmp_path / "left" / "f").write_bytes(TEXT)
    return tmp_path


def local(place: Path) -> Job:
    return Job(str(place / "left"), str(place / "right"), "")


def handed(place: Path, job: Job | None = None, **how: int) -> Path:
    job = job or local(place)
    return forge(place / "e.rplan", creating(job.left, job.right, b"f", TEXT), job, **how)


def hostile_config(place: Path) -> tuple[Path, Path]:
    """An ssh_config whose ProxyCommand leaves a mark, and the mark."""
    mark, config = place / "was-run", place / "config"
    config.write_text(f"Host *\n  ProxyCommand /usr/bin/touch {mark}\n")
    return config, mark


VERBS: dict[str, Callable[[str], list[str]]] = {
    "apply": lambda plan: ["apply", plan],
    "apply --json": lambda plan: ["apply", plan, "--json"],
    "apply --yes": lambda plan: ["apply", plan, "--yes"],
    "apply --trust-owner": lambda plan: ["apply", plan, "--trust-owner", str(os.geteuid())],
    "show": lambda plan: ["show", plan],
    "show --report": lambda plan: ["show", plan, "--report", "r.html"],
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
def test_a_plan_s_endpoint_runs_no_program(sides: Path, scheme: str, verb: str) -> None:
    config, mark = hostile_config(sides)
    job = with_(local(sides), left=f"{scheme}://h/x?config={config}")
    done = run(*VERBS[verb](str(handed(sides, job))), cwd=sides)
    assert not mark.exists(), done
    assert os.listdir(sides / "right") == []
    assert done.code == (0 if verb.startswith("show") else 64), done


@pytest.mark.parametrize(
    ("option", "value"),
    [("config", "/etc/passwd"), ("identity", "/etc/passwd"), ("agent", "/tmp/agent")],
)
def test_what_an_endpoint_of_a_plan_brings_along_is_refused_by_name(
    sides: Path, option: str, value: str
) -> None:
    job = with_(local(sides), left=f"ssh://127.0.0.1/x?{option}={value}")
    plan = handed(sides, job)
    done = run("apply", str(plan), cwd=sides)
    assert done.code == 64
    assert f"`{option}=`" in done.err
    assert f"reconcile apply {plan} LEFT RIGHT" in done.err
    with pytest.raises(UsageError, match="brings none along"):
        apply_plan(plan, state_dir=sides / "state")


def test_a_side_on_another_machine_is_not_reached_on_a_plan_s_word_alone(sides: Path) -> None:
    ssh = sides / "ssh"
    ssh.write_text("#!/bin/sh\ntouch was-run\nexit 255\n")
    ssh.chmod(0o755)
    plan = handed(sides, with_(local(sides), left="ssh://127.0.0.1/x"))
    for words in (["apply", str(plan)], ["apply", str(plan), "--json"]):
        done = run(*words, cwd=sides, env={"RECONCILE_SSH": str(ssh)})
        assert done.code == 64
        assert "E_PLAN_SIDES" in done.out + done.err
    assert not (sides / "was-run").exists()


def test_a_plan_of_our_own_about_local_directories_is_the_approval(sides: Path) -> None:
    assert run("apply", str(handed(sides)), cwd=sides).code == 0
    assert (sides / "right" / "f").read_bytes() == TEXT


def test_the_state_remembers_where_a_pair_is_and_how_it_is_reached(sides: Path) -> None:
    left, right = str(sides / "left"), str(sides / "right")
    assert run("diff", left, right, cwd=sides).code == 0
    job = with_(local(sides), left="left", right="./right")
    plan = forge(sides / "e.rplan", creating(left, right, b"f", TEXT), job)
    done = run("apply", str(plan), "-C", "/", cwd=sides)
    assert done.code == 0, done
    assert (sides / "right" / "f").read_bytes() == TEXT


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_plan_that_others_may_write_is_nobody_s(sides: Path, mode: int) -> None:
    plan = handed(sides, mode=mode)
    done = run("apply", str(plan), "--trust-owner", str(os.geteuid()), cwd=sides)
    assert done.code == 64
    assert "E_PLAN_FOREIGN" in done.err
    assert os.listdir(sides / "right") == []


@as_root
def test_a_stranger_s_plan_is_shown_and_not_applied(sides: Path) -> None:
    plan = handed(sides, uid=STRANGER)
    shown = run("show", str(plan), cwd=sides)
    assert shown.code == 0
    assert f"user {STRANGER}" in shown.out
    assert "FOREIGN" in shown.out
    document = json.loads(run("show", str(plan), "--json", cwd=sides).out)
    assert document["notes"] == ["FOREIGN"]
    assert document["owner"] == "nobody"
    done = run("apply", str(plan), "--yes", cwd=sides)
    assert done.code == 64
    assert "--trust-owner nobody" in done.err
    assert os.listdir(sides / "right") == []


@as_root
def test_a_link_of_a_stranger_leads_to_no_plan(sides: Path) -> None:
    plan, link = handed(sides), sides / "link.rplan"
    link.symlink_to(plan)
    os.lchown(link, STRANGER, STRANGER)
    assert run("apply", str(link), cwd=sides).code == 64
    assert run("apply", str(link), "--trust-owner", "nobody", cwd=sides).code == 64
    assert os.listdir(sides / "right") == []


@as_root
def test_another_s_owner_is_not_the_one_that_was_named(sides: Path) -> None:
    plan = handed(sides, uid=STRANGER)
    assert run("apply", str(plan), "--trust-owner", "daemon", cwd=sides).code == 64
    assert os.listdir(sides / "right") == []


@as_root
def test_who_is_trusted_does_not_say_where(sides: Path) -> None:
    plan = handed(sides, uid=STRANGER)
    done = run("apply", str(plan), "--trust-owner", "nobody", cwd=sides)
    assert done.code == 64
    assert "E_PLAN_SIDES" in done.err
    assert os.listdir(sides / "right") == []
    named = ("apply", str(plan), str(sides / "left"), str(sides / "right"))
    assert run(*named, cwd=sides).code == 64
    assert run(*named, "--trust-owner", "nobody", cwd=sides).code == 0
    assert (sides / "right" / "f").read_bytes() == TEXT


@as_root
def test_sides_that_the_plan_was_not_made_for_are_refused(sides: Path) -> None:
    plan = handed(sides, uid=STRANGER)
    (sides / "third").mkdir()
    words = ("apply", str(plan), str(sides / "left"), str(sides / "third"))
    assert run(*words, "--trust-owner", "nobody", cwd=sides).code == 6
    assert os.listdir(sides / "third") == []


@as_root
def test_how_a_trusted_stranger_s_plan_is_carried_out_is_ours_to_say(sides: Path) -> None:
    pair = Pair(sides / "left", sides / "right", state_dir=sides / "state")
    (sides / "right" / "f").write_text("mine\n")
    bad = with_(
        local(sides), versions=False, retention=Retention(keep=0), accept_new_root=True,
        first_run=True, limits=Limits(None, None, allow_empty=True),
    )  # fmt: skip
    plan = handed(sides, bad, uid=STRANGER)
    with pytest.raises(UsageError, match="not applied"):
        Pair.of_plan(load_plan(plan), state_dir=sides / "state")
    pair.plan()
    job = Pair.of_plan(load_plan(plan), trust_owner="nobody", state_dir=sides / "state").job
    assert (job.versions, job.retention, job.first_run) == (True, Retention(), False)
    assert (job.accept_new_root, job.limits) == (False, Limits())


@as_root
def test_python_refuses_what_the_command_line_refuses(sides: Path) -> None:
    plan = handed(sides, uid=STRANGER)
    file = load_plan(plan)
    assert "belongs to user" in file.distrust
    assert plan_notes(file, state_dir=sides / "state") == ("FOREIGN",)
    pair = Pair(sides / "left", sides / "right", state_dir=sides / "state")
    for attempt in (
        lambda: apply_plan(plan, state_dir=sides / "state"),
        lambda: apply_plan(plan, trust_owner="daemon", state_dir=sides / "state"),
        lambda: pair.apply(file),
        lambda: list(pair.applying(file)),
    ):
        with pytest.raises(UsageError, match="not applied"):
            attempt()
    with pytest.raises(UsageError, match="only the plan"):
        apply_plan(plan, trust_owner=STRANGER, state_dir=sides / "state")
    assert os.listdir(sides / "right") == []
    assert pair.apply(file, trust_owner="nobody").done == 1
