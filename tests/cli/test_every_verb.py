"""Every verb, in every form, on names that attack whoever prints them.

`--json` is JSON from the first byte to the last and obeys its schema; a text
answer holds no control character off a terminal; NO_COLOR is obeyed on one.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconcile import Pair, build_manifest
from reconcile.cli.verb_table import VERBS, verb_named
from tests.cli.hostile import NAMES, World
from tests.cli.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
STREAMING = {verb.name for verb in VERBS if verb.streams}

LINES = {
    "diff": ["diff left right", "diff left right --audit", "diff left nowhere"],
    "apply": ["apply left right --yes", "apply left right", "apply p.rplan"],
    "show": ["show p.rplan", "show nowhere.rplan"],
    "status": ["status"],
    "verify": ["verify left right", "verify left nowhere"],
    "explain": ["explain x left right", "explain ../x left right"],
    "manifest build": ["manifest build left -o new.rman", "manifest build nowhere -o new.rman"],
    "manifest show": ["manifest show m.rman", "manifest show nowhere.rman"],
    "manifest verify": ["manifest verify m.rman", "manifest verify m.rman right"],
    "manifest diff": ["manifest diff m.rman r.rman"],
    "baseline show": ["baseline show left right", "baseline show left ."],
    "baseline list": ["baseline list left right"],
    "baseline reset": ["baseline reset left right --yes", "baseline reset left right"],
    "baseline adopt": ["baseline adopt left right"],
    "endpoint trust": ["endpoint trust 127.0.0.1:1"],
    "help": ["help", "help E_PLAN_STALE", "help E_NONE", "help diff"],
    "version": ["version"],
    "conflicts list": ["conflicts list", "conflicts"],
    "conflicts show": ["conflicts show {conflict}", "conflicts show c-none"],
    "conflicts resolve": [
        "conflicts resolve --all --keep newer --yes",
        "conflicts resolve {conflict} --keep both --yes",
        "conflicts resolve {conflict} --keep left",
        "conflicts resolve",
    ],
    "history": ["history", "history {run}", "history --path x", "history r-none"],
    "undo": ["undo {run} --yes", "undo {run}", "undo r-none --yes"],
    "restore": ["restore {old} --yes", "restore nowhere --yes"],
    "versions list": ["versions list"],
    "versions prune": ["versions prune --keep 0 --yes", "versions prune --keep 0"],
    "config check": ["config check", "config check --config broken.toml"],
    "config show": ["config show", "config show job"],
    "config path": ["config path"],
    "config schema": ["config schema"],
    "init": ["init --non-interactive left right", "init"],
    "demo": ["demo new-demo", "demo left"],
    "doctor": ["doctor left right", "doctor left nowhere"],
    "man": ["man --dir pages", "man reconcile"],
    "pair list": ["pair list", "pair"],
    "pair forget": ["pair forget left right --yes", "pair forget left nowhere --yes"],
    "pair move": ["pair move nowhere left", "pair move left nowhere"],
    "completion": ["completion bash", "completion tcsh"],
}
"""What is tried of each verb: what goes well, and what fails."""

CASES = [(name, line) for name in LINES for line in LINES[name] if verb_named(name) is not None]
by_line = pytest.mark.parametrize(("verb", "line"), CASES, ids=[line for _, line in CASES])


def test_every_verb_is_tried() -> None:
    assert {verb.name for verb in VERBS} - set(LINES) == set()


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((ROOT / "schemas" / name).read_text()))


CHANGING = {
    "apply", "conflicts resolve", "undo", "restore", "versions prune", "baseline reset",
    "baseline adopt", "manifest build", "init", "demo", "man", "pair forget", "pair move",
}  # fmt: skip
"""Verbs that need a world of their own; the others only look, and share one."""


@pytest.fixture(scope="module")
def common_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return made(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path, common_world: World) -> World:
    verb = request.node.callspec.params["verb"]
    return made(tmp_path) if verb in CHANGING else common_world


@pytest.fixture
def environment(world: World, environment: dict[str, str]) -> dict[str, str]:
    """The state is the world's."""
    return {**environment, "RECONCILE_STATE_DIR": str(world.place / "state")}


def made(place: Path) -> World:
    """The world with a saved plan, two manifests and a job file that is wrong."""
    world = World(place)
    (place / "broken.toml").write_text("version = 1\n[job.x]\nleft = 3\n")
    pair = Pair(str(place / "left"), str(place / "right"), state_dir=str(place / "state"))
    pair.save(pair.plan(), str(place / "p.rplan"))
    build_manifest(str(place / "left"), str(place / "m.rman"))
    build_manifest(str(place / "right"), str(place / "r.rman"))
    return world


def words_of(line: str, world: World) -> list[str]:
    """The line's words, with this world's ids."""
    old = (NAMES[2] + b"-old").decode()
    known = {"{run}": world.run, "{conflict}": world.conflict, "{old}": old}
    return [known.get(word, word) for word in line.split()]


def run(
    line: str, world: World, environment: dict[str, str], *more: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["reconcile", *words_of(line, world), *more],
        cwd=world.place,
        env=environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@by_line
def test_json_is_json_from_the_first_byte_to_the_last(
    verb: str, line: str, world: World, environment: dict[str, str]
) -> None:
    answer = run(line, world, environment, "--json")

    assert b"Traceback" not in answer.stderr
    assert_inert(answer.stderr)
    assert b"\r" not in answer.stdout
    assert b"\x1b" not in answer.stdout
    assert_inert(answer.stdout)
    if verb in STREAMING:
        check_events([json.loads(each) for each in answer.stdout.splitlines()], answer.returncode)
    else:
        check_document(answer.stdout, answer.returncode)
    if answer.returncode == 0:
        assert answer.stderr == b""


def check_events(found: list[dict[str, Any]], code: int) -> None:
    check = validator("events.json")
    for event in found:
        check.validate(event)
    assert [event["seq"] for event in found] == list(range(len(found)))
    assert found[0]["type"] == "hello"
    assert (found[-1]["type"], found[-1]["code"]) == ("exit", code)
    assert sum(event["type"] in ("hello", "exit") for event in found) == 2


def check_document(text: bytes, code: int) -> None:
    assert text.count(b"\n") == 1
    document = json.loads(text)
    kind = document["format"].removeprefix("reconcile-").partition("/")[0]
    validator(f"{kind}.json").validate(document)
    if kind == "error":
        assert document["exit_code"] == code
    else:
        assert code < 64 or code == 78


@by_line
def test_a_text_answer_is_inert_off_a_terminal(
    verb: str, line: str, world: World, environment: dict[str, str]
) -> None:
    answer = run(line, world, environment)

    assert b"Traceback" not in answer.stderr
    for text in (answer.stdout, answer.stderr):
        assert_inert(text)


UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def assert_inert(text: bytes) -> None:
    """UTF-8 without control characters and without anything that turns lines around."""
    found = UNSAFE.search(text.decode())
    assert found is None, f"{found} in {text!r}"


COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@by_line
def test_no_color_is_obeyed_on_a_terminal(
    verb: str, line: str, world: World, environment: dict[str, str]
) -> None:
    words = [*words_of(line, world), "--no-input"]
    with Terminal(words, world.place, {**environment, "NO_COLOR": "1"}) as terminal:
        terminal.ends()
    assert COLOUR.search(terminal.seen) is None
    for name in NAMES[:2]:
        assert name.decode() not in terminal.seen


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_a_wrong_option_is_told_in_json_too(
    verb: str, tmp_path: Path, world: World, environment: dict[str, str]
) -> None:
    answer = subprocess.run(
        ["reconcile", *verb.split(), "--bogus", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert answer.returncode == 64
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    if verb in STREAMING:
        check_events(lines, 64)
    else:
        check_document(answer.stdout, 64)
