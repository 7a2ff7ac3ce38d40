"""The schemas are what the types say, and everything any verb prints obeys them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconcile.cli.schemas import FIX, schemas, stale

ROOT = Path(__file__).resolve().parents[2]


def test_the_schemas_are_current() -> None:
    assert stale(str(ROOT / "schemas")) == [], f"mend with: {FIX}"


def test_no_schema_is_left_over_from_a_type_that_is_gone() -> None:
    known = {name for name in schemas() if name != "events.json"} | {"events.json"}
    ours = {p.name for p in (ROOT / "schemas").glob("*.json") if '"$defs"' in p.read_text()}
    assert ours >= known


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((ROOT / "schemas" / name).read_text()))


class Shell:
    """Runs reconcile in one directory; keeps what it printed."""

    def __init__(self, where: Path, environment: dict[str, str]) -> None:
        self.where = where
        self.environment = environment

    def run(self, *words: str) -> tuple[int, bytes]:
        answer = subprocess.run(
            ["reconcile", *words],
            cwd=self.where,
            env=self.environment,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return answer.returncode, answer.stdout

    def events(self, *words: str) -> list[dict[str, Any]]:
        """Every line, checked: schema, numbering, first, last, and the code."""
        code, out = self.run(*words, "--json")
        found = [json.loads(line) for line in out.decode().splitlines()]
        check = validator("events.json")
        for event in found:
            check.validate(event)
        assert [event["seq"] for event in found] == list(range(len(found)))
        assert found[0]["type"] == "hello"
        assert found[-1]["type"] == "exit"
        assert found[-1]["code"] == code
        assert b"\r" not in out
        return found

    def document(self, schema: str, *words: str) -> dict[str, Any]:
        """The one document, checked."""
        _, out = self.run(*words, "--json")
        assert out.count(b"\n") == 1
        found: dict[str, Any] = json.loads(out)
        validator(schema).validate(found)
        return found


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    (tmp_path / "left/new.txt").write_text("new\n")
    (tmp_path / "left/sub").mkdir()
    (tmp_path / "left/sub/link").symlink_to("../new.txt")
    (tmp_path / "left/bad\udcff").write_text("bytes\n")
    (tmp_path / "left/both").write_text("left\n")
    (tmp_path / "right/both").write_text("right!\n")
    return Shell(tmp_path, environment)


def types(events: list[dict[str, Any]]) -> Iterator[str]:
    return (event["type"] for event in events)


def test_every_line_of_every_streaming_verb(shell: Shell) -> None:
    diff = shell.events("diff", "left", "right")
    assert {"hello", "phase", "scan", "step", "conflict", "plan", "exit"} <= set(types(diff))
    bad = next(event for event in diff if "path_b64" in event)
    assert bad["path"] == r"$'bad\xff'"
    apply = shell.events("apply", "left", "right", "--yes")
    assert {"step_start", "step_done", "summary"} <= set(types(apply))
    assert apply[-1]["name"] == "CONFLICTS"
    verify = shell.events("verify", "left", "right")
    assert {"mismatch", "verified"} & set(types(verify))
    build = shell.events("manifest", "build", "left", "-o", "m.rman")
    assert "manifest" in set(types(build))


def test_a_run_that_fails_ends_in_an_error_and_an_exit(shell: Shell) -> None:
    failed = shell.events("diff", "left", "missing")
    assert list(types(failed))[-2:] == ["error", "exit"]
    assert failed[-2]["code"] == "E_ROOT_MISSING"
    assert failed[-1] == {**failed[-1], "code": 12, "name": "NOT_FOUND"}
    usage = shell.events("diff", "left", "right", "--bogus")
    assert usage[-1]["code"] == 64


def test_quiet_json_drops_progress_and_keeps_the_numbering(shell: Shell) -> None:
    quiet = shell.events("diff", "left", "right", "-q")
    assert not {"scan", "progress"} & set(types(quiet))
    assert "plan" in set(types(quiet))


def test_every_document_of_every_query_verb(shell: Shell) -> None:
    shell.run("diff", "left", "right", "-o", "p.rplan")
    assert shell.document("plan.json", "show", "p.rplan")["notes"] == []
    shell.run("apply", "p.rplan")
    assert shell.document("plan.json", "show", "p.rplan")["notes"] == ["APPLIED"]
    assert len(shell.document("status.json", "status")["pairs"]) == 1
    listed = shell.document("baselines.json", "baseline", "list", "left", "right")
    assert listed["baselines"][0]["number"] == 1
    shell.document("baselines.json", "baseline", "show", "left", "right")
    explained = shell.document("explanation.json", "explain", "both", "left", "right")
    assert explained["conflicts"]
    shell.document("adopted.json", "baseline", "adopt", "left", "right")
    assert shell.document("reset.json", "baseline", "reset", "left", "right", "--yes")["forgotten"]
    shell.document("version.json", "version")
    missing = shell.document("error.json", "show", "missing.rplan")
    assert missing["exit_code"] == 12


def test_every_document_about_manifests(shell: Shell) -> None:
    shell.run("manifest", "build", "left", "-o", "l.rman")
    shell.run("manifest", "build", "right", "-o", "r.rman")
    assert shell.document("manifest.json", "manifest", "show", "l.rman")["files"] == 3
    assert shell.document("manifest-check.json", "manifest", "verify", "l.rman")["equal"]
    checked = shell.document("manifest-check.json", "manifest", "verify", "l.rman", "right")
    assert not checked["equal"]
    found = shell.document("manifest-diff.json", "manifest", "diff", "l.rman", "r.rman")
    assert {one["change"] for one in found["differences"]} == {"delete", "update"}
