"""A side behind SSH, from Python: the same calls, from a thread of its own too."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile import Denied, NeedsApproval, Outcome, Pair, StepEnded, Unreachable, host_keys, trust
from tests.api.conftest import Sides
from tests.peers.sshd import Sshd


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """A server on which this very reconcile is installed."""
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    with Sshd(tmp_path, environment=environment) as running:
        yield running


def test_a_server_is_a_side_like_any_other(
    server: Sshd, sides: Sides, capfd: pytest.CaptureFixture[str]
) -> None:
    pair = Pair(sides.left, server.url(sides.right), state_dir=sides.state)
    sides.fill(left_a="x", right_b="y")
    for event in pair.applying():
        assert event is not None
    assert isinstance(event, Outcome)
    assert event.done == 2
    assert sides.read() == ({"a": "x", "b": "y"},) * 2
    assert pair.verify().equal
    assert capfd.readouterr() == ("", "")


def test_a_loop_that_is_left_lets_go_of_the_server(server: Sshd, sides: Sides) -> None:
    pair = Pair(sides.left, server.url(sides.right), state_dir=sides.state)
    sides.fill(left_a="x", left_b="y")
    for event in pair.applying():
        if isinstance(event, StepEnded):
            break
    pair.apply()
    assert sides.read()[1] == {"a": "x", "b": "y"}


def test_a_server_that_is_away_is_said(server: Sshd, sides: Sides) -> None:
    pair = Pair(sides.left, server.url(sides.right), state_dir=sides.state)
    server.stop()
    with pytest.raises(Unreachable):
        list(pair.applying())


def test_a_key_is_pinned_when_its_fingerprint_is_named_and_never_else(
    server: Sshd, tmp_path: Path
) -> None:
    known, config = tmp_path / "mine", tmp_path / "config"
    text = server.ssh_config_path.read_text(encoding="utf-8")
    config.write_text(text.replace(str(server.known_hosts), str(known)), encoding="utf-8")
    host = f"ssh://127.0.0.1:{server.port}/?config={config}"
    [shown] = host_keys(host)
    assert (shown.key.fingerprint, shown.state) == (server.fingerprint(0), "new")
    for named, error in ([(), NeedsApproval], [("SHA256:" + "A" * 43,), Denied]):
        with pytest.raises(error):
            trust(host, *named)
    assert not known.exists()
    assert trust(host, shown.key.fingerprint) == str(known)
    assert [one.state for one in host_keys(host)] == ["known"]
    assert trust(host, shown.key.fingerprint) == ""
