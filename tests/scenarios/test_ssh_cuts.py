"""A first mirror over SSH is cut, or one of its processes is killed: the next run finishes it.

It sends again at most one window of content, beside what every run says. The
positions are spread over the whole stream of each direction: greeting, survey,
packs, streams, receipts.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from reconcile.wire.messages import WINDOW_BYTES
from tests.peers.proxy import Direction, Proxy
from tests.peers.sshd import Sshd
from tests.scenarios.ssh_mirror import SshMirror

BOOKKEEPING_BYTES = 200_000
"""A second connection's keys, survey and names."""
CUTS = 50
SHORT = 6


class Uncut(NamedTuple):
    """The mirror, and how much a whole run of it says."""

    mirror: SshMirror
    up: int
    down: int

    def at(self, direction: Direction, share: float) -> int:
        """A byte position of the whole stream."""
        return int((self.up if direction == "up" else self.down) * share)


@pytest.fixture(scope="module")
def uncut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Uncut]:
    """A server, a line, and one whole run, measured."""
    place = tmp_path_factory.mktemp("cuts")
    environment = {"XDG_CACHE_HOME": str(place / "cache")}
    with Sshd(place, environment=environment) as server, Proxy(server.port) as proxy:
        mirror = SshMirror(place, server, proxy)
        code, said, up, down = mirror.run()
        assert code == 0, said
        mirror.check_end()
        yield Uncut(mirror, up, down)


def positions(count: int) -> list[tuple[Direction, float]]:
    """Half of them each way, one in each of equally long stretches, seeded."""
    chance = random.Random("cuts")
    half = count // 2
    found: list[tuple[Direction, float]] = []
    for number in range(half):
        found.append(("up", (number + chance.random()) / half))
        found.append(("down", (number + chance.random()) / half))
    return found


def cut(uncut: Uncut, direction: Direction, share: float) -> None:
    """One cut, one run more."""
    mirror, proxy = uncut.mirror, uncut.mirror.proxy
    mirror.reset()
    cuts = proxy.counts().cuts
    proxy.cut_after(direction, uncut.at(direction, share))
    code, said, first, _ = mirror.run()
    proxy.cut_after(direction, -1)
    if proxy.counts().cuts > cuts:
        assert code in (0, 8), said  # 0: nothing but the farewell was missing
    finish(uncut, first)


def finish(uncut: Uncut, sent_bytes: int) -> None:
    """Nothing is torn or lost after the trouble, and the next run sends what was missing."""
    mirror = uncut.mirror
    assert mirror.torn() == set()
    assert mirror.lost() == set()
    mirror.wait_for_the_far_end()
    code, said, again, _ = mirror.run()
    assert code == 0, said
    mirror.check_end()
    assert sent_bytes + again <= uncut.up + WINDOW_BYTES + BOOKKEEPING_BYTES, said


@pytest.mark.parametrize(("direction", "share"), positions(SHORT))
def test_a_cut_run_is_finished_by_the_next(
    uncut: Uncut, direction: Direction, share: float
) -> None:
    cut(uncut, direction, share)


@pytest.mark.slow
@pytest.mark.parametrize(("direction", "share"), positions(CUTS))
def test_a_run_cut_anywhere_is_finished_by_the_next(
    uncut: Uncut, direction: Direction, share: float
) -> None:
    cut(uncut, direction, share)


@pytest.mark.parametrize("share", [0.3, 0.8])
@pytest.mark.parametrize("which", ["near", "far"])
def test_a_run_whose_process_was_killed_is_finished_by_the_next(
    uncut: Uncut, which: str, share: float
) -> None:
    mirror, proxy = uncut.mirror, uncut.mirror.proxy
    mirror.reset()
    before = proxy.counts().up_bytes
    proxy.hold_after("up", uncut.at("up", share))
    with mirror.start() as process:
        assert proxy.wait_held()
        if which == "near":
            process.kill()
        else:
            mirror.kill_the_agent()
        proxy.go_on()
        said, _ = process.communicate()
    assert process.returncode == (-9 if which == "near" else 8), said
    finish(uncut, proxy.counts().up_bytes - before)


@pytest.mark.parametrize("share", [0.5, 0.97])
def test_a_part_that_was_damaged_meanwhile_is_sent_again(uncut: Uncut, share: float) -> None:
    mirror = uncut.mirror
    mirror.reset()
    mirror.proxy.cut_after("up", uncut.at("up", share))
    assert mirror.run()[0] == 8
    mirror.wait_for_the_far_end()
    [part] = mirror.right.rglob("*.part")
    content = part.read_bytes()
    part.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    code, said, _, _ = mirror.run()
    assert code == 0, said
    mirror.check_end()
