"""A side behind SSH, from Python: the same calls, from a thread of its own too."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile import Outcome, Pair, StepEnded, Unreachable
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
