"""Undo where a side is far away: what it kept never travels, and comes back as it was."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

import tests.engine.far_pair  # noqa: F401  # brings pipe://
from reconcile.model.plan import Side
from reconcile.model.policy import Policy
from reconcile.trees.open import OPENERS
from reconcile.trees.remote import RemoteTree, SessionOptions
from reconcile.trees.sftp.tree import SftpTree
from tests.engine.undone import Seen, Undone
from tests.sftp.servers import plain_server

L, R = Side.LEFT, Side.RIGHT
SECOND_NS = 10**9


def open_sftp(endpoint: str, options: SessionOptions) -> RemoteTree:
    """`piped-sftp://ROOT`: a real sftp-server at the end of two pipes."""
    del options
    root = endpoint.removeprefix("piped-sftp://")
    return SftpTree(plain_server, endpoint, os.fsencode(root))


OPENERS["piped-sftp"] = open_sftp


def far(place: Path, scheme: str, side: Side) -> Undone:
    pair = Undone(place)
    cache = place / "cache"
    cache.mkdir()
    root = pair.roots[side]
    endpoint = f"pipe://{cache}!{root}" if scheme == "pipe" else f"piped-sftp://{root}"
    pair.job = replace(pair.job, **{side.value: endpoint})
    pair.put(L, {"file": b"text" * 700, "link": "file", "sub/b": b"below", "sub/c/d": b"deep"})
    pair.put(L, {"large": os.urandom(200_000)})
    pair.put(L, {"other": b"another"}, 0o640)
    pair.run()
    return pair


def rounded(seen: dict[Side, Seen]) -> dict[Side, Seen]:
    """Times as SFTP tells them."""
    return {
        side: {
            path: (*found[:-1], found[-1] // SECOND_NS if len(found) == 3 else found[-1])
            for path, found in things.items()
        }
        for side, things in seen.items()
    }


@pytest.mark.parametrize("scheme", ["pipe", "piped-sftp"])
@pytest.mark.parametrize("side", list(Side))
def test_everything_is_as_before(tmp_path: Path, scheme: str, side: Side) -> None:
    pair = far(tmp_path, scheme, side)
    here = side.other
    pair.put(here, {"file": b"edited", "large": b"!" * 150_000, "n/e/w": b"new"})
    pair.remove(here, "sub", "link")
    pair.put(here, {"link": "elsewhere"})
    pair.at(here, "other").chmod(0o755)
    before, found = rounded(pair.seen()), pair.differences()
    run = pair.run()
    after = rounded(pair.seen())
    assert not run.not_done

    undone = pair.undo(run.run)

    assert [ended.receipt for ended in undone.not_done] == []
    assert rounded(pair.seen()) == before
    assert pair.differences() == found
    pair.undo(undone.run)
    assert rounded(pair.seen()) == after
    assert pair.plan().is_empty


@pytest.mark.parametrize("scheme", ["pipe", "piped-sftp"])
def test_keeping_both_is_undone_over_there_too(tmp_path: Path, scheme: str) -> None:
    pair = far(tmp_path, scheme, R)
    pair.put(L, {"file": b"of left"})
    pair.put(R, {"file": b"of right"})
    before = rounded(pair.seen())
    run = pair.run(Policy.KEEP_BOTH)
    pair.undo(run.run)
    assert rounded(pair.seen()) == before
    assert [conflict.path for conflict in pair.plan().conflicts] == [b"file"]


@pytest.mark.parametrize("scheme", ["pipe", "piped-sftp"])
def test_a_version_that_is_gone_over_there_fails_that_step_alone(
    tmp_path: Path, scheme: str
) -> None:
    pair = far(tmp_path, scheme, R)
    pair.put(L, {"file": b"edited", "other": b"edited too"})
    run = pair.run()
    os.unlink(pair.at(R, f".reconcile/versions/{run.run}/file"))
    undone = pair.undo(run.run)
    [ended] = undone.not_done
    assert ended.step.path == b"file"
    assert pair.at(R, "file").read_bytes() == b"edited"
    assert pair.at(R, "other").read_bytes() == b"another"


def test_what_comes_back_is_not_made_of_a_twin(tmp_path: Path) -> None:
    """Equal content beside it is another file, with other attributes."""
    pair = far(tmp_path, "pipe", R)
    for path in ("twins/a", "twins/b"):
        pair.put(L, {path: b"equal" * 1000})
    pair.run()
    os.setxattr(pair.at(R, "twins/a"), "user.note", b"mine")
    pair.remove(L, "twins/a")
    run = pair.run()
    pair.undo(run.run)
    assert os.getxattr(pair.at(R, "twins/a"), "user.note") == b"mine"
