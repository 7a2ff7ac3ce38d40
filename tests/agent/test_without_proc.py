"""An agent where `/proc` is not mounted, as in a closed-off environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconcile.wire import messages as m
from tests.agent.near import HELLO, Near
from tests.agent.pipes import COMMAND

ALONE = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")


@pytest.fixture(autouse=True)
def may_mount() -> None:
    probe = subprocess.run([*ALONE, "true"], check=False, capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"needs the right to mount: {probe.stderr.strip()}")


def test_a_root_is_opened_and_its_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "named").symlink_to("tree")
    with Near(tmp_path, (*ALONE, *COMMAND)) as near:
        near.session.send(HELLO)
        near.session.send(m.Open(os.fsencode(tmp_path / "named"), "p-1"))
        near.session.flush()
        near.session.expect(m.Welcome)
        opened = near.session.expect(m.Opened)
        assert opened.location == os.fsencode(tmp_path / "tree")


def test_a_way_that_others_may_write_to_is_refused_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    place = str(tmp_path / "open" / "state")
    asked = f"from reconcile.trees.above import open_above; print(open_above({place!r}))"
    said = subprocess.run([*ALONE, sys.executable, "-c", asked], check=True, capture_output=True)
    assert os.fsdecode(said.stdout).strip() == str(tmp_path / "open")
