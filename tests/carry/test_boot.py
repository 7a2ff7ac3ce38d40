"""Booting: one connection, whatever is there; nothing run that was tampered with."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile.trees.carry.boot import NOISE_LIMIT, Unanswered, greet, shown, start_command
from reconcile.trees.carry.package import Bundle
from tests.carry.dialled import NONCE, Dialled
from tests.carry.pythons import path_with

Dial = Callable[..., Dialled]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def cache(home: Path) -> Path:
    return home / ".cache" / "reconcile" / "agent"


@pytest.fixture
def dial(bundle: Bundle, python: str, home: Path, tmp_path: Path) -> Iterator[Dial]:
    """Starts a far side; its PATH holds `python3` and nothing else, unless told otherwise."""
    opened: list[Dialled] = []
    usual = path_with(tmp_path / "bin", python3=python)

    def start(path: str = usual, installed: bool = False, **more: str) -> Dialled:
        command = start_command(NONCE, bundle, installed=installed)
        opened.append(Dialled(command, path, home, **more))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def held(cache: Path) -> dict[str, bytes]:
    return {name.name: name.read_bytes() for name in cache.iterdir()}


def test_the_first_time_it_is_carried_over_and_the_second_it_is_there(
    dial: Dial, bundle: Bundle, cache: Path
) -> None:
    first = dial()
    assert first.greeted(bundle) == ("carried", b"", True)
    welcome = first.welcomed()
    assert welcome.is_carried
    assert welcome.hash_names == ("sha256",)
    assert first.ended()[0] in (0, 8)
    assert held(cache)[f"{bundle.sha256}.pyz"] == bundle.data
    assert len(held(cache)) == 2, "the bundle and its code"
    again = dial()
    assert again.greeted(bundle) == ("carried", b"", False)
    assert again.welcomed().hash_names == ("sha256",)
    assert {name.stat().st_mode & 0o777 for name in cache.iterdir()} == {0o600}
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("what", ["pyz", "code"])
@pytest.mark.parametrize(
    "how", ["other bytes", "cut", "a link", "writable by others", "a directory"]
)
def test_a_cache_that_was_tampered_with_is_not_run(
    what: str, how: str, dial: Dial, bundle: Bundle, warm: Path, cache: Path, tmp_path: Path
) -> None:
    shutil.copytree(warm / ".cache" / "reconcile" / "agent", cache)
    [file] = [name for name in cache.iterdir() if name.suffix == f".{what}"]
    good = file.read_bytes()
    tamper(file, how, tmp_path / "elsewhere")
    bad = file.read_bytes() if how in ("other bytes", "cut") else b""
    far = dial()
    assert far.greeted(bundle).was_sent == (what == "pyz")
    assert far.welcomed().is_carried
    if how != "a directory":
        # marshal says the same code in other bytes from one time to the next
        assert file.read_bytes() == good if what == "pyz" else file.read_bytes() != bad
        assert not file.is_symlink()
        assert not file.stat().st_mode & 0o022


def tamper(file: Path, how: str, elsewhere: Path) -> None:
    good = file.read_bytes()
    match how:
        case "other bytes":
            file.write_bytes(good[:-20] + b"x" + good[-19:])
        case "cut":
            file.write_bytes(good[: len(good) // 2])
        case "a link":
            elsewhere.write_bytes(good)
            file.unlink()
            file.symlink_to(elsewhere)
        case "writable by others":
            file.chmod(0o666)
        case _:
            file.unlink()
            file.mkdir()


def test_a_directory_that_others_can_write_to_is_not_used(
    dial: Dial, bundle: Bundle, cache: Path
) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    for _ in range(2):
        far = dial()
        assert far.greeted(bundle) == ("carried", b"", True)
        assert far.welcomed().is_carried
    assert held(cache) == {}


def test_without_a_home_it_runs_from_memory(dial: Dial, bundle: Bundle, home: Path) -> None:
    (home / ".cache").write_bytes(b"a file is in the way")
    far = dial()
    assert far.greeted(bundle) == ("carried", b"", True)
    assert far.welcomed().is_carried
    assert (home / ".cache").read_bytes() == b"a file is in the way"


def test_what_the_start_up_files_print_is_passed_over(dial: Dial, bundle: Bundle) -> None:
    far = dial(before=f"echo 'Welcome to $HOME {NONCE}'; printf 'no end of line '")
    greeting = far.greeted(bundle)
    assert greeting.runs == "carried"
    assert greeting.noise == b"Welcome to $HOME " + NONCE.encode() + b"\nno end of line "
    assert far.welcomed().is_carried


def test_without_python_it_says_so(dial: Dial, bundle: Bundle, tmp_path: Path) -> None:
    far = dial(path=path_with(tmp_path / "none"))
    assert far.greeted(bundle) == ("none", b"", False)
    assert far.ended() == (0, "")


def test_a_python_that_is_too_old_or_broken_is_passed_by(
    dial: Dial, bundle: Bundle, python: str, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 93\n")
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'Unknown option: -I' >&2\nexit 2\n")
    for each in (old, broken):
        each.chmod(0o755)
    programs = {"python3": os.fspath(old), "python3.13": os.fspath(broken), "python": python}
    far = dial(path=path_with(tmp_path / "several", **programs))
    assert far.greeted(bundle).runs == "carried"
    assert far.welcomed().is_carried


def test_the_installed_program_comes_first_where_it_is_asked_for(
    dial: Dial, bundle: Bundle, home: Path, python: str, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "motd"\necho "reconcile-agent $3"\necho "$@"\n')
    program.chmod(0o755)
    both = path_with(tmp_path / "both", reconcile=os.fspath(program), python3=python)
    far = dial(path=both, installed=True)
    assert far.greeted(bundle) == ("installed", b"motd\n", False)
    assert far.ended()[0] == 0
    assert dial(path=both).greeted(bundle).runs == "carried"
    (home / ".local" / "bin").mkdir(parents=True)
    shutil.copy(program, home / ".local" / "bin" / "reconcile")
    assert dial(installed=True).greeted(bundle).runs == "installed"


def test_another_bundle_than_announced_is_not_run(dial: Dial, bundle: Bundle, cache: Path) -> None:
    far = dial()
    other = bundle._replace(data=bundle.data[:-1] + b"?")
    with pytest.raises(Unanswered, match="the connection ended"):
        far.greeted(other)
    code, said = far.ended()
    assert code == 1
    assert "not the one announced" in said
    assert held(cache) == {}


def talk(*said: bytes) -> Callable[[int], bytes]:
    """A far side that says this and hangs up."""
    stream = b"".join(said)
    at = 0

    def read(count: int) -> bytes:
        nonlocal at
        at += count
        return stream[at - count : at]

    return read


GONE = {
    "nothing": (b"", "the connection ended"),
    "a refusal": (b"This account is closed.\n", r"ended; it printed `This account is closed\.`"),
    "another's mark": (b"reconcile-agent 00ff\n", "the connection ended"),
    "no end of noise": (b"y\n" * NOISE_LIMIT, "more than 65536 bytes came first"),
    "a second beginning": (
        f"reconcile-carry {NONCE} kept\nreconcile-carry {NONCE} wanted\n".encode(),
        "it began twice",
    ),
    "things a terminal obeys": (b"\x1b[2Jgone\xff\n", r"`\\x1b\[2Jgone\\xff`"),
}


@pytest.mark.parametrize("case", sorted(GONE))
def test_who_does_not_answer_is_told_with_what_was_seen(case: str, bundle: Bundle) -> None:
    said, told = GONE[case]
    sent: list[bytes] = []
    with pytest.raises(Unanswered, match=told) as raised:
        greet(talk(said), sent.append, NONCE, bundle)
    assert raised.value.code == "E_NO_AGENT"
    assert sent == []


def test_nothing_after_the_last_mark_is_read(bundle: Bundle) -> None:
    read = talk(f"motd\nreconcile-agent {NONCE}\n".encode(), b"\0\0\0\1frame")
    assert greet(read, lambda data: None, NONCE, bundle) == ("installed", b"motd\n", False)
    assert read(9) == b"\0\0\0\1frame"


def test_the_command_is_one_line_and_holds_only_what_is_ours(bundle: Bundle) -> None:
    shell, flag, script = start_command(NONCE, bundle, program="/opt/it's/reconcile")
    assert (shell, flag) == ("sh", "-c")
    assert "\n" not in script
    assert "!" not in script, "csh would look into its history"
    assert """'/opt/it'"'"'s/reconcile'""" in script
    with pytest.raises(ValueError, match="hexadecimal"):
        start_command("$(reboot)", bundle)


def test_what_is_shown_is_one_printable_line() -> None:
    assert shown(b"a\n\x1b[1mb\r\n") == "a\\n\\x1b[1mb"
    assert shown(b"x" * 1000) == "x" * 300
