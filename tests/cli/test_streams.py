"""stdout is the answer, stderr the conversation; errors, signals, pipes and crashes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconcile.cli.json_error import error_document
from reconcile.model.errors import ExitCode, Interrupted

Environment = dict[str, str]


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    (tmp_path / "left/a.txt").write_text("a\n")
    return tmp_path


def run(words: str, where: Path, environment: Environment) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["reconcile", *words.split()], cwd=where, env=environment, capture_output=True, text=True,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


ERRORS = [
    ("an unknown verb", "dif left right", 64, "did you mean 'diff'"),
    ("an unknown option", "diff left right --mod x", 64, "--mode"),
    ("an option of no verb", "verify left right --sample 10", 64, "--sample"),
    ("too few words", "diff left", 64, "two sides are wanted"),
    ("a wrong value", "diff left right --mode x", 64, "two-way"),
    ("a wrong number", "diff left right --limit x", 64, "--limit"),
    ("a wrong unit", "diff left right --max-size 3parsecs", 64, "max-size"),
    ("a class that is none", "diff left right --only x", 64, "conflict"),
    ("nobody to ask", "apply left right", 64, "--yes"),
    ("nobody to ask, asked for", "apply left right --no-input", 64, "--yes"),
    ("a root that is missing", "diff left nowhere", 12, "nowhere"),
    ("a plan that is missing", "show nowhere.rplan", 12, "nowhere.rplan"),
    ("a file that is no plan", "apply left/a.txt", 64, "no saved plan"),
    ("the same root twice", "diff left left", 64, "same directory"),
    ("a root in a root", "diff . left", 64, "lies inside"),
    ("another scheme", "diff left s3://host/x", 64, "s3"),
    ("a directory that is none", "-C nowhere diff left right", 64, "nowhere"),
    ("an empty name of a baseline", "diff left right --against=", 64, "names no baseline"),
    ("no baseline yet", "baseline show left right", 10, "reconcile apply"),
]


@pytest.mark.parametrize(
    ("claim", "words", "code", "said"), ERRORS, ids=[error[0] for error in ERRORS]
)
def test_an_error_is_one_line_on_stderr_and_has_its_code(
    claim: str, words: str, code: int, said: str, pair: Path, environment: Environment
) -> None:
    answer = run(words, pair, environment)
    assert answer.returncode == code, answer.stderr
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("error[E_")
    assert said.lower() in answer.stderr.lower()
    assert "Traceback" not in answer.stderr


def test_quiet_says_nothing_when_in_sync(pair: Path, environment: Environment) -> None:
    assert run("apply left right --yes -q", pair, environment).stdout != ""
    for words in ("apply left right --yes -q", "diff left right -q", "verify left right -q"):
        answer = run(words, pair, environment)
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert "In sync: 1 file" in run("diff left right", pair, environment).stdout


def test_a_plain_run_has_no_control_characters(pair: Path, environment: Environment) -> None:
    answer = run("apply left right --yes --progress plain", pair, environment)
    for text in (answer.stdout, answer.stderr):
        assert "\x1b" not in text
        assert "\r" not in text


def test_colour_can_be_had_off_a_terminal(pair: Path, environment: Environment) -> None:
    assert "\x1b[32m" in run("diff left right --color always", pair, environment).stdout
    assert "\x1b" not in run("diff left right", pair, {**environment, "CLICOLOR": "1"}).stdout


def test_a_first_run_of_equal_sides_says_what_apply_does(
    pair: Path, environment: Environment
) -> None:
    (pair / "right/a.txt").write_text("a\n")
    answer = run("diff left right", pair, environment)
    assert answer.stdout == "In sync: 1 file, 2 B; no baseline yet, `reconcile apply` records it.\n"


def test_progress_lines_come_when_asked_for(pair: Path, environment: Environment) -> None:
    words = "diff left right --progress plain --progress-interval 0"
    answer = run(words, pair, environment)
    assert "Z scan" in answer.stderr
    assert "Z scan" not in answer.stdout


def test_an_ascii_locale_gets_ascii(pair: Path, environment: Environment) -> None:
    (pair / "left/é").write_text("x")
    plain = {**environment, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    answer = subprocess.run(
        ["reconcile", "diff", "left", "right"], cwd=pair, env=plain, capture_output=True,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.isascii()
    assert rb"left -> right  $'\xc3\xa9'" in answer.stdout


def test_the_environment_stands_in_for_options(pair: Path, environment: Environment) -> None:
    answer = run("diff left right", pair, {**environment, "RECONCILE_JSON": "1"})
    assert answer.stdout.startswith('{"type":"hello"')


ANSWERS = (
    "--help", "--version", "diff --help", "diff left right", "diff left right --json", "status",
    "status --json", "nosuch --json",
)  # fmt: skip


def said_to(
    redirection: str, words: str, pair: Path, environment: Environment
) -> subprocess.CompletedProcess[str]:
    """One command of a shell that redirects its streams."""
    return subprocess.run(
        ["sh", "-c", f"exec reconcile {words} {redirection}"], cwd=pair, env=environment,
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("words", ANSWERS)
def test_a_reader_that_is_gone_before_the_first_word_is_no_bug(
    words: str, pair: Path, environment: Environment
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        answer = subprocess.run(
            ["reconcile", *words.split()], cwd=pair, env=environment, stdout=gone,
            stderr=subprocess.PIPE, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    assert answer.returncode == 141
    assert answer.stderr == ""


@pytest.mark.parametrize("words", ANSWERS)
def test_an_answer_for_which_there_is_no_room_is_told_and_no_bug(
    words: str, pair: Path, environment: Environment
) -> None:
    answer = said_to(">/dev/full", words, pair, environment)
    assert answer.returncode == 141
    assert answer.stderr == (
        "error: the output cannot be written: No space left on device; changed: nothing\n"
    )
    assert not list(pair.rglob("crash-*"))


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_leads_nowhere(
    redirection: str, pair: Path, environment: Environment
) -> None:
    """No file of a side or of the state gets its number."""
    for words in ("--help", "status --json", "apply left right --yes"):
        assert said_to(redirection, words, pair, environment).returncode == 0
    assert (pair / "right/a.txt").read_text() == "a\n"


def test_a_reader_that_leaves_ends_it_quietly(pair: Path, environment: Environment) -> None:
    read, write = os.pipe()
    os.close(read)
    child = subprocess.Popen(
        ["reconcile", "diff", "left", "right"], cwd=pair, env=environment, stdout=write,
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    _, said = child.communicate()
    assert child.returncode == 141
    assert said == b""


PAUSED = """
import os, sys
import reconcile.cli.verbs.status as status

def wait(directory, jobs):
    os.write(1, b"ready\\n")
    while True:
        import signal
        signal.pause()

{hook}
status.status = wait
from reconcile.cli.main import main
sys.exit(main(["status"]))
"""
SESSION = "from reconcile.cli.signals import Signals; Signals()"


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["INT", "TERM", "HUP"],
)
def test_a_signal_ends_it_with_its_code(
    number: int, code: int, pair: Path, environment: Environment
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PAUSED.format(hook=SESSION)], cwd=pair, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    _, said = child.communicate()
    assert child.returncode == code
    assert said.startswith("error[E_INTERRUPTED]")
    assert "changed: nothing" in said
    assert "Traceback" not in said


BROKEN = """
import sys
import reconcile.cli.verbs.status as status
def broken(directory, jobs):
    raise ZeroDivisionError("planted")
status.status = broken
from reconcile.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_bug_leaves_a_file_and_no_traceback(pair: Path, environment: Environment) -> None:
    def crash(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", BROKEN, "status", *words], cwd=pair, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    answer = crash()
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    files = list((pair / "state").glob("crash-*.txt"))
    assert len(files) == 1
    assert str(files[0]) in answer.stderr
    assert files[0].stat().st_mode & 0o777 == 0o600
    assert "planted" in files[0].read_text()
    assert "Traceback" in crash("-vv").stderr


EARLY = """
import os, signal, sys
class Stops:
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stops())
from reconcile.cli.main import main
sys.exit(main(["diff", "left", "right"]))
"""


@pytest.mark.parametrize("loading", ["reconcile.cli.parse", "reconcile.cli.run", "msgspec"])
def test_ctrl_c_while_modules_are_loaded_leaves_no_traceback(
    loading: str, pair: Path, environment: Environment
) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", EARLY, loading], cwd=pair, env=environment, capture_output=True,
        text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert answer.returncode == 130
    assert "Traceback" not in answer.stderr


WISHES = [
    ("diff left right --bogus --format jsonl", ""),
    ("diff left right --bogus --format=json", ""),
    ("diff left right --bogus", "yes"),
    ("diff left right --bogus", "TRUE"),
    ("status --bogus --format json", ""),
    ("status --format csv --json", ""),
]


@pytest.mark.parametrize(("words", "wish"), WISHES)
def test_however_json_is_asked_for_a_wrong_line_is_told_in_it(
    words: str, wish: str, pair: Path, environment: Environment
) -> None:
    answer = run(words, pair, {**environment, "RECONCILE_JSON": wish})
    assert answer.returncode == 64
    assert answer.stderr == ""
    last = json.loads(answer.stdout.splitlines()[-1])
    assert last.get("code" if words.startswith("diff") else "exit_code") == 64


@pytest.mark.parametrize("code", [ExitCode.INT, ExitCode.TERM, ExitCode.LOCKED])
def test_what_may_be_run_again_is_called_so_in_json(code: ExitCode) -> None:
    """As the table of docs/exit-codes.md has it."""
    error = Interrupted("stopped")
    error.exit_code = code
    assert error_document(error).retryable
