"""An ssh configuration names programs: one that a stranger could have written is not obeyed."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.attacks.handed_over import STRANGER, Ran, run
from tests.attacks.test_foreign_plans import hostile_config

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root and an account beside it")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "left").mkdir()
    (tmp_path / "theirs").mkdir()
    config, mark = hostile_config(tmp_path)
    config.write_text(f'Match exec "/usr/bin/touch {mark}"\n{config.read_text()}')
    return tmp_path


def tried(place: Path, *words: str, config: str = "config") -> Ran:
    url = f"{words[-1]}://h/x?config={place / config}"
    return run(*words[:-1], url, cwd=place)


VERBS = (("diff", "left", "ssh"), ("diff", "left", "sftp"), ("endpoint", "trust", "ssh"))


def refused(place: Path, why: str, config: str = "config") -> None:
    for verb in VERBS:
        done = tried(place, *verb, config=config)
        assert done.code != 0, done
        assert "E_CONFIG_PERMS" in done.err + done.out, done
        assert why in done.err + done.out, done
    tried(place, "doctor", "left", "ssh", config=config)
    assert not (place / "was-run").exists()


def test_a_stranger_s_is_not_obeyed(place: Path) -> None:
    os.chown(place / "config", STRANGER, STRANGER)
    refused(place, f"belongs to user {STRANGER}")


@pytest.mark.parametrize("mode", [0o666, 0o664])
def test_nor_one_that_others_may_write(place: Path, mode: int) -> None:
    os.chown(place / "config", -1, STRANGER)
    (place / "config").chmod(mode)
    refused(place, "can be written by others")


def test_nor_one_that_a_list_lets_somebody_write(place: Path) -> None:
    subprocess.run(["setfacl", "-m", f"u:{STRANGER}:rw", place / "config"], check=True)
    refused(place, "can be written by others")


def test_nor_one_that_lies_in_his_directory_or_is_found_by_his_link(place: Path) -> None:
    (place / "theirs" / "config").write_bytes((place / "config").read_bytes())
    (place / "link").symlink_to("config")
    for theirs in ("theirs", "link"):
        os.lchown(place / theirs, STRANGER, STRANGER)
    refused(place, f"directory of user {STRANGER}", "theirs/config")
    refused(place, f"belongs to user {STRANGER}", "link")


def test_our_own_is(place: Path) -> None:
    tried(place, "diff", "left", "ssh")
    assert (place / "was-run").exists()
