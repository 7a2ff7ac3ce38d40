"""Completion: what may come next, in three real shells, and before the finger has left the key."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.cli.complete import CLASSES, POLICIES, SHELLS, Offer, complete
from reconcile.cli.options import OPTIONS
from reconcile.cli.rows import CLASSES as ALL_CLASSES
from reconcile.cli.verb_table import VERBS
from reconcile.cli.verbs.completion import script_of
from reconcile.model.policy import Policy
from tests.cli.shells import PROMPT, ShellTerminal
from tests.cli.test_startup import HEAVY

Environment = dict[str, str]
TOML = """
version = 1
[endpoint.nas]
url = "ssh://nas.lan/srv"
[job.photos]
left = "left"
right = "right"
[job.papers]
left = "a"
right = "b"
"""
_CHILD = "import sys; sys.exit(__import__('reconcile.cli.main').cli.main.main())"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a job file, two sides, one run and two conflicts."""
    where = tmp_path_factory.mktemp("pair")
    for side in ("left", "right"):
        (where / side).mkdir()
        (where / side / "both").write_text(side)
        (where / side / "two").write_text(side)
    (where / "left/new").write_text("new")
    (where / "my dir").mkdir()
    (where / "today.rplan").write_text("")
    (where / "our plan.rplan").write_text("")
    (where / "sub dir").mkdir()
    (where / "sub dir/a b.rman").write_text("")
    (where / "tree.rman").write_text("")
    (where / "reconcile.toml").write_text(TOML)
    answer = subprocess.run(
        ["reconcile", "apply", "left", "right", "--yes", "--conflicts-ok"],
        cwd=where, env=environment_of(where), capture_output=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return where


def environment_of(where: Path) -> Environment:
    return {
        "HOME": str(where),
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "RECONCILE_STATE_DIR": str(where / "state"),
        "TZ": "UTC",
    }


@pytest.fixture
def here(pair: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(pair)
    return pair


def offered(line: str, env: Environment | None = None) -> list[str]:
    """The words offered for a line whose last word is being typed."""
    _, offers = complete(line.split(" "), env or {})
    return [offer.word for offer in offers]


def files_for(line: str) -> str:
    return complete(line.split(" "), {})[0]


OFFERS = [
    ("di", ["diff"]),
    ("manifest ", ["build", "show", "verify", "diff"]),
    ("manifest b", ["build"]),
    ("conflicts res", ["resolve"]),
    ("diff --mode ", ["two-way", "mirror", "update"]),
    ("diff --mode=mi", ["--mode=mirror"]),
    ("diff --tie r", ["report", "right"]),
    ("diff --on-conflict newer,l", ["newer,larger", "newer,left"]),
    ("diff --on-conflict *.md=mer", ["*.md=merge"]),
    ("diff --only create,m", ["create,move", "create,meta"]),
    ("diff --no-del", ["--no-delete"]),
    ("diff --dele", ["--delete", "--delete-vs-edit"]),
    ("--json manifest build --par", ["--paranoid"]),
    ("--vers", ["--version"]),
    ("completion ", ["bash", "zsh", "fish"]),
    ("help E_HOSTKEY", ["E_HOSTKEY_UNKNOWN", "E_HOSTKEY_CHANGED"]),
    ("help pol", ["policies"]),
    ("help manifest b", ["build"]),
    ("diff ph", ["photos"]),
    ("diff @", ["@nas"]),
    ("diff p", ["photos", "papers"]),
    ("nosuchverb ", []),
    ("show today.rplan ", []),
    ("diff --nosuch=x", []),
    ("endpoint trust ", []),
    ("history p", ["photos", "papers"]),
    ("history -- p", []),
    ("conflicts resolve ph", ["photos"]),
]


@pytest.mark.parametrize(("line", "words"), OFFERS, ids=[line for line, _ in OFFERS])
def test_what_may_come_next(line: str, words: list[str], here: Path) -> None:
    assert offered(line) == words


FILES = [
    ("diff ", "dirs"),
    ("diff left ", "dirs"),
    ("apply ", "files rplan"),
    ("show ", "files rplan"),
    ("manifest show ", "files rman"),
    ("manifest verify tree.rman ", "dirs"),
    ("manifest diff ", "files rman"),
    ("manifest diff tree.rman ", "files rman"),
    ("history left ", "dirs"),
    ("history -- ", "files"),
    ("init ", "dirs"),
    ("diff -o ", "files"),
    ("diff --out=", "files"),
    ("-C ", "dirs"),
    ("diff --mode ", "-"),
    ("", "-"),
]


@pytest.mark.parametrize(("line", "files"), FILES, ids=[line for line, _ in FILES])
def test_which_files_the_shell_adds(line: str, files: str, here: Path) -> None:
    assert files_for(line) == files


def test_every_verb_and_option_is_offered(here: Path) -> None:
    for verb in VERBS:
        *first, last = verb.name.split()
        assert last in offered(" ".join([*first, last[:1]]))
        own = [o.name for o in OPTIONS if verb.name in o.verbs]
        assert set(own) <= set(offered(f"{verb.name} --"))


def test_the_lists_are_those_of_the_program() -> None:
    assert set(POLICIES) == {policy.value for policy in Policy}
    assert set(CLASSES) == set(ALL_CLASSES)


def test_ids_of_runs_and_conflicts(here: Path) -> None:
    from reconcile.cli.complete import Place, _runs
    from reconcile.cli.parse import scan

    env = {"RECONCILE_STATE_DIR": str(here / "state")}
    last, run = _runs(Place(scan([]), "", env))
    assert last.word == "last"
    assert run.word.startswith("r-")
    assert run.about.startswith("20")
    found = offered("conflicts show ", env)
    assert len(found) == 2
    assert all(word.startswith("c-") for word in found)
    assert offered(f"conflicts show {found[0]}", env) == found[:1]
    assert offered(f"conflicts resolve {found[0]} {found[1]}", env) == found[1:]
    elsewhere = _runs(Place(scan(["--state-dir", str(here / "state")]), "", {}))
    assert [offer.word for offer in elsewhere] == ["last", run.word]
    assert offered("undo r-", env) == [run.word]
    assert offered("history r-", env) == [run.word]


def test_a_state_that_cannot_be_read_offers_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "state/pairs/0123456789abcdef"
    directory.mkdir(parents=True, mode=0o700)
    (tmp_path / "state").chmod(0o700)
    (directory.parent).chmod(0o700)
    (directory / "state.db").write_bytes(b"no database")
    assert offered("conflicts show ", {"RECONCILE_STATE_DIR": str(tmp_path / "state")}) == []


def test_a_broken_job_file_offers_no_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reconcile.toml").write_text("[[[")
    assert offered("diff p") == []


def test_nothing_that_moves_the_cursor_is_offered(pair: Path) -> None:
    (pair / "odd.toml").write_text('[job."a\\u001b[31m"]\nleft = "x\\ty\\nz"\nright = "[/b]"\n')
    answer = asked(["--config", "odd.toml", "diff", "a"], pair)
    assert answer == "dirs\na[31m\txyz and [/b]\n"


def asked(words: list[str], where: Path) -> str:
    """What `reconcile __complete` prints."""
    return subprocess.run(
        ["reconcile", "__complete", "--", *words],
        cwd=where, env=environment_of(where), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


@pytest.mark.parametrize("words", [["conflicts", "show", ""], ["diff", "p"], ["help", "E_"]])
def test_nothing_heavy_is_imported(words: list[str], pair: Path) -> None:
    program = (
        "import sys; from reconcile.cli.main import main; main(sys.argv[1:]);"
        "print(*sys.modules, file=sys.stderr)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, "__complete", "--", *words],
        cwd=pair, env=environment_of(pair), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = set(answer.stderr.split())
    assert not found & (HEAVY - {"dataclasses", "inspect"} | {"sqlite_utils", "blake3"})


def test_an_empty_offer_is_no_line() -> None:
    assert Offer("x").about == ""


def install(shell: str, where: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["reconcile", "completion", shell, "--install", *more],
        cwd=where, env=environment_of(where), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_install_writes_where_the_shell_looks_and_never_over_a_stranger(
    shell: str, tmp_path: Path
) -> None:
    answer = install(shell, tmp_path)
    assert answer.returncode == 0
    place = Path(answer.stdout.splitlines()[0].removeprefix("Installed "))
    assert place.is_relative_to(tmp_path)
    assert place.read_text() == script_of(shell)
    assert install(shell, tmp_path).returncode == 0
    place.write_text("# mine\n")
    answer = install(shell, tmp_path)
    assert answer.returncode == 64
    assert "not ours" in answer.stderr
    assert place.read_text() == "# mine\n"


def test_an_unknown_shell_is_refused(tmp_path: Path) -> None:
    assert install("tcsh", tmp_path).returncode == 64


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, pair: Path) -> Iterator[ShellTerminal]:
    """Each shell in turn, its completion loaded as it is installed."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    (pair / name).write_text(script_of(name))
    (pair / "_reconcile").write_text(script_of("zsh"))
    commands = {
        "bash": ["bash", "--noprofile", "--norc"],
        "zsh": ["zsh", "-f"],
        "fish": ["fish", "--no-config"],
    }
    settings = {
        "bash": f"bind 'set bell-style none'; source ./bash; PS1='{PROMPT}'",
        "zsh": f"fpath=($PWD $fpath); autoload -Uz compinit; compinit -D -u; PS1='{PROMPT}'",
        "fish": f"source ./fish; function fish_prompt; echo -n '{PROMPT}'; end",
    }
    with ShellTerminal(commands[name], pair, environment_of(pair)) as terminal:
        terminal.run(settings[name])
        terminal.wait_for(PROMPT)
        yield terminal


TYPED = [
    ("reconcile dif\t", "reconcile diff "),
    ("reconcile diff --mode mir\t", "--mode mirror "),
    ("reconcile diff --mode=mir\t", "--mode=mirror "),
    ("reconcile manifest bui\t", "manifest build "),
    ("reconcile diff ph\t", "diff photos "),
    ("reconcile diff rig\t", "diff right/"),
    ("reconcile show tod\t", "show today.rplan "),
    ("reconcile diff my\t", "diff my\\ dir/"),
    ("reconcile show our\t", "show our\\ plan.rplan "),
    ("reconcile manifest show sub\\ dir/\t", "show sub\\ dir/a\\ b.rman "),
    ("reconcile -C le\t", "-C left/"),
    ("reconcile diff --out=tree\t", "--out=tree.rman "),
    ("reconcile help E_HOSTKEY_C\t", "help E_HOSTKEY_CHANGED "),
]


def test_the_shell_completes(shell: ShellTerminal) -> None:
    for keys, line in TYPED:
        shell.type(keys)
        shell.wait_for(line.rstrip())  # zsh moves the cursor where others write a space
        shell.clear()


def test_the_shell_lists_conflicts(shell: ShellTerminal, pair: Path) -> None:
    ids = asked(["conflicts", "show", ""], pair).split("\n")[1:3]
    shell.type("reconcile conflicts show c\t\t\t")
    for identifier in ids:
        shell.wait_for(identifier)
