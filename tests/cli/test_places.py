"""Endpoints as given: what is a path, what is refused, and roots that overlap."""

from pathlib import Path

import pytest

from reconcile.cli.duration import seconds_of
from reconcile.engine.places import endpoint, local_endpoint, redacted, refuse_overlap, state_dir
from reconcile.model.errors import SecretInUrl, UsageError


def test_local_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert endpoint("a/../b") == str(tmp_path / "b")
    assert endpoint("~/x") == "/home/me/x"
    assert endpoint("./host:path") == str(tmp_path / "host:path")
    assert endpoint("file:///srv/a%20b") == "/srv/a b"
    assert endpoint("file://localhost/srv") == "/srv"
    assert endpoint("a/b://c") == str(tmp_path / "a/b:/c")


def test_a_file_that_is_there_is_no_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2026:11").mkdir()
    assert endpoint("2026:11") == str(tmp_path / "2026:11")


@pytest.mark.parametrize(
    "text", ["", "ssh://h", "s3://b", "-host:/srv", "host:../x", "@nas", "file://host/x", ":"]
)
def test_what_this_version_does_not_speak_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        endpoint(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("SSH://me@h:22/srv/./x/", "ssh://me@h:22/srv/x"),
        ("sftp://h/~/x", "sftp://h/~/x"),
        ("me@h:photos", "ssh://me@h/~/photos"),
        ("h:/srv", "ssh://h/srv"),
        ("file:", "ssh://file/~"),
    ],
)
def test_another_machine_becomes_a_canonical_url(text: str, where: str) -> None:
    assert endpoint(text) == where
    assert endpoint(where) == where
    with pytest.raises(UsageError, match="another machine"):
        local_endpoint(text)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(SecretInUrl) as caught:
        endpoint("https://me:geheim@host/x")
    assert caught.value.code == "E_SECRET_IN_URL"
    assert "geheim" not in f"{caught.value.message} {caught.value.where} {caught.value.hint}"


def test_words_are_redacted() -> None:
    assert redacted("https://me:geheim@h/x") == "https://me:•••@h/x"
    assert redacted("https://me@h/x") == "https://me@h/x"
    assert redacted("a:b@c") == "a:b@c"


@pytest.mark.parametrize(
    ("left", "right"),
    [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "link"), ("a", "inside"), ("inside", "a")],
)
def test_overlapping_roots_are_refused(left: str, right: str, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "inside").symlink_to("a/b")
    with pytest.raises(UsageError):
        refuse_overlap(str(tmp_path / left), str(tmp_path / right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ssh://h/a", "h:/a"),
        ("ssh://h/a", "sftp://h/a/b?identity=/k"),
        ("h:a/b", "h:a"),
        ("h:/", "h:/a"),
    ],
)
def test_overlapping_names_on_one_other_machine_are_refused(left: str, right: str) -> None:
    with pytest.raises(UsageError):
        refuse_overlap(endpoint(left), endpoint(right))


def test_other_machines_are_not_looked_at(tmp_path: Path) -> None:
    refuse_overlap(str(tmp_path), endpoint(f"h:{tmp_path}"))
    refuse_overlap(endpoint("h:/a"), endpoint("h:/ab"))
    refuse_overlap(endpoint("h:/a"), endpoint("g:/a"))
    refuse_overlap(endpoint("ssh://h/a?jump=x"), endpoint("ssh://h/a?jump=y"))


def test_neighbours_with_a_common_beginning_are_fine(tmp_path: Path) -> None:
    for name in ("a", "ab"):
        (tmp_path / name).mkdir()
    refuse_overlap(str(tmp_path / "a"), str(tmp_path / "ab"))
    refuse_overlap(str(tmp_path / "a"), str(tmp_path / "missing"))


def test_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr("os.getuid", lambda: 1000)
    assert state_dir("", {}) == "/home/me/.local/state/reconcile"
    assert state_dir("", {"XDG_STATE_HOME": "/x"}) == "/x/reconcile"
    assert state_dir("", {"XDG_STATE_HOME": "relative"}) == "/home/me/.local/state/reconcile"
    assert state_dir("", {"RECONCILE_STATE_DIR": "/y", "XDG_STATE_HOME": "/x"}) == "/y"
    assert state_dir("~/z", {"RECONCILE_STATE_DIR": "/y"}) == "/home/me/z"
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert state_dir("", {}) == "/var/lib/reconcile"


def test_durations() -> None:
    assert [seconds_of(text) for text in ("90", "90s", "15m", "2h", "7d", "1w")] == [
        90, 90, 900, 7200, 604_800, 604_800,
    ]  # fmt: skip
    for text in ("", "x", "-1d", "nan", "inf", "1e99d"):
        with pytest.raises(UsageError):
            seconds_of(text)
