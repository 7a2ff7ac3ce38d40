"""The blocks of a page, and how they are run. `test_doc_blocks.py` says what must come out.

```sh                 runs; all blocks of a page in order, in one home directory
# exit 3              right before a command's line: how it ends; otherwise 0
```text               directly after a block that runs: what it prints; a line `...` stands
                      for any lines; ids, times and durations may differ
```python             runs; all of a page in one interpreter
```toml some/file     is written to that file (any language, any name)
<!-- exit: 3 -->       right before a block: how its last line ends, unseen by the reader
<!-- keys: y -->       right before a block: it runs at a terminal, and these words are typed
                      one after the other, each where a question stands
<!-- in the checkout --> right before a block: it runs in a copy of the checkout, with `just slow`
<!-- sh               runs too, unseen by the reader: what the page takes for granted
<!-- server: nas -->  `nas` is a host of an ssh_config: a real OpenSSH server
<!-- not run: why --> right before a block: it is not run
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.cli.terminal import Terminal
from tests.house.checkout import ROOT, tracked_files
from tests.peers.sshd import Sshd

TOOLS = Path(sys.executable).parent
_PIECE = re.compile(
    r"^(?P<fence>```)(?P<kind>[^\s`]*)(?: (?P<name>\S+))?\n(?P<body>.*?)^```$"
    r"|^<!-- (?P<hidden>sh)\n(?P<script>.*?)^-->$"
    r"|^<!-- not run: (?P<reason>[^\n]*?) -->$"
    r"|^<!-- exit: (?P<code>\d+) -->$"
    r"|^<!-- keys: (?P<keys>[^\n]*?) -->$"
    r"|^<!-- (?P<slow>in the checkout) -->$"
    r"|^<!-- server: (?P<server>\w+) -->$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One block of a page."""

    kind: str
    """`sh`, `python`, `text` …; the language of a file to be written."""
    name: str
    """`slow`: in the checkout; a file's name; or empty."""
    body: str
    line: int
    shown: str | None = None
    """What it prints, when the page says so."""
    reason: str = ""
    """Why it is not run."""
    keys: tuple[str, ...] = ()
    """What is typed at its questions; with any, it runs at a terminal."""

    @property
    def runs(self) -> bool:
        """It is part of the page's run."""
        return not self.reason and (self.kind in ("sh", "python") or bool(self.name))


def text(name: str) -> str:
    """A page."""
    return (ROOT / name).read_text(encoding="utf-8")


def pages() -> list[str]:
    """Every page of the checkout."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in tracked_files(ROOT)
        if path.suffix == ".md" and "tests" not in path.parts
    ]


def server_of(page: str) -> str:
    """The host that a page speaks of; empty: none."""
    found = [match["server"] for match in _PIECE.finditer(page) if match["server"]]
    return found[0] if found else ""


def blocks(page: str) -> list[Block]:
    """Every block of a page, hidden ones too, each with what it prints."""
    found: list[Block] = []
    said: dict[str, str] = {}
    end = 0
    for match in _PIECE.finditer(page):
        line = page.count("\n", 0, match.start()) + 1
        is_output = bool(found) and found[-1].runs and found[-1].shown is None
        is_output = is_output and not page[end : match.start()].strip()
        if match["hidden"]:
            found.append(Block("sh", "", match["script"], line))
        elif is_output and match["kind"] == "text" and not match["name"]:
            found[-1] = found[-1]._replace(shown=match["body"])
        elif match["fence"]:
            found.append(_block(match, line, said))
            said = {}
        else:
            said |= {name: value for name, value in match.groupdict().items() if value}
        end = match.end()
    return found


def _block(match: re.Match[str], line: int, said: dict[str, str]) -> Block:
    """A block, with what the comments right before it say of it."""
    body = match["body"]
    if "code" in said:
        *before, last = body.splitlines(keepends=True)
        body = "".join([*before, f"# exit {said['code']}\n", last])
    name = match["name"] or ("slow" if "slow" in said else "")
    keys = tuple(said.get("keys", "").split())
    return Block(match["kind"], name, body, line, reason=said.get("reason", ""), keys=keys)


def commands(script: str) -> str:
    """The block as a script that stops at the first command with another code than promised."""
    lines = ["set -eu"]
    promised = ""
    waiting: list[str] = []
    for line in script.splitlines():
        found = re.fullmatch(r"# exit (\d+)", line)
        if found:
            promised = found[1]
        elif promised:
            waiting.append(line)
            if not line.endswith("\\"):
                lines += ["code=0", "\n".join(waiting) + " || code=$?", f"[ $code = {promised} ]"]
                promised, waiting = "", []
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


_RUN = re.compile(r"\br-[0-9a-f]{11}\b")
_LOOSE = (
    (re.compile(r"\br-[0-9a-f]{6,}"), "r-ID"),
    (re.compile(r"\bp-[0-9a-f]{6,}"), "p-ID"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|min)\b"), "DURATION"),
    (re.compile(r"\bhashed [\d,]+ files?, [\d,]+ from cache\b"), "hashed"),
    (re.compile(r"\[127\.0\.0\.1\]:\d+"), "nas"),
    (re.compile(r"\bSHA256:[\w+/]{43}"), "SHA256:KEY"),
    (re.compile(r"[ \t]+"), " "),
)


def loosened(said: str, home: str) -> list[str]:
    """Lines without what differs from run to run."""
    said = said.replace(home, "/home/me")
    for pattern, word in _LOOSE:
        said = pattern.sub(word, said)
    return [line.strip() for line in said.strip("\n").splitlines()]


def is_shown(expected: list[str], found: list[str]) -> bool:
    """The lines are those that were expected; `...` stands for any text, alone for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in found)) is not None


class NotShown(AssertionError):
    """A block printed something else than its page shows."""

    def __init__(self, block: Block, said: str) -> None:
        super().__init__(
            f"line {block.line}:\n{block.body}shown:\n{block.shown}printed:\n{said}"
            "after reading both: UPDATE_DOCS=1 writes what was printed"
        )
        self.shown = block.shown or ""
        self.said = said


class Reader:
    """Somebody who types a page's blocks, at home, with `left` and `right` at hand."""

    def __init__(self, place: Path, page: str) -> None:
        self.home = place / "me"
        self.home.mkdir()
        self.where = self.home
        for side in ("left", "right"):
            shutil.copytree(ROOT / "examples/first-steps" / side, self.home / side, symlinks=True)
        self._place = place
        self._host = server_of(page)
        self._server: Sshd | None = None
        self._python: subprocess.Popen[str] | None = None
        self._runs: dict[str, str] = {}
        self._last_run = ""
        self.environment = {
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(place / "state"),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "80",
            "USER": "me",
            "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
        }

    def __enter__(self) -> Self:
        if self._host:
            self._server = _server(self._place, self._host, self.environment)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.__exit__(kind, error, trace)
        if self._python is not None:
            self._python.kill()
            self._python.communicate()

    def type(self, block: Block) -> None:
        """Run one block. Fails with what it said."""
        if block.kind == "python":
            said = self._run_python(block)
        elif block.kind == "sh":
            said = self._run_shell(_RUN.sub(self._meant, block.body), block.keys)
        else:
            place = self.where / block.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.body, encoding="utf-8")
            return
        self._learn(block.shown or "", said)
        if block.shown is None:
            return
        home = str(self.home)
        if is_shown(loosened(block.shown, home), loosened(said, home)):
            return
        said = said.replace(home, "/home/me")
        raise NotShown(block, said)

    def _run_shell(self, script: str, keys: tuple[str, ...]) -> str:
        """A `cd` and an exported `RECONCILE_…` hold for the blocks that follow."""
        end = self._place / "end"
        after = f'{{ pwd; env | grep ^RECONCILE_ || true; }} >"{end}"'
        said = run(f"{script}\n{after}\n", self.where, self.environment, keys)
        place, *exported = end.read_text(encoding="utf-8").splitlines()
        self.where = Path(place)
        self.environment |= dict(line.split("=", 1) for line in exported)
        return said

    def _learn(self, shown: str, said: str) -> None:
        """Which runs the page's ids stand for."""
        printed = _RUN.findall(said)
        self._last_run = printed[-1] if printed else self._last_run
        self._runs.update(zip(_RUN.findall(shown), printed, strict=False))

    def _meant(self, run: re.Match[str]) -> str:
        return self._runs.get(run[0], self._last_run)

    def _run_python(self, block: Block) -> str:
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("doc_python.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=self.where,
                env=self.environment,
            )
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        self._python.stdin.write(repr(block.body) + "\n")
        self._python.stdin.flush()
        worked, said = eval(self._python.stdout.readline())
        assert worked, f"line {block.line}: {block.body}\n{said}"
        return str(said)


def run(script: str, where: Path, environment: dict[str, str], keys: tuple[str, ...] = ()) -> str:
    """Run one shell block; what it printed. Fails with that."""
    words = ["sh", "-c", commands(script)]
    if keys:
        return _at_a_terminal(words, where, environment, keys)
    answer = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=where,
        env=environment,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, f"{script}\nended with {answer.returncode}:\n{answer.stdout}"
    return answer.stdout


def _at_a_terminal(
    words: list[str], where: Path, environment: dict[str, str], keys: tuple[str, ...]
) -> str:
    """Run it at a terminal that can only print; each key is typed once a question stands."""
    command = ["/bin/sh", *words[1:]]
    with Terminal.of(command, where, {**environment, "TERM": "dumb"}) as terminal:
        for key in keys:
            seen = len(terminal.seen)
            while not (asks := re.search(r"(?:\[[^\n]*(: )|\n> )\Z", terminal.seen[seen:])):
                terminal.wait_for_more()
            terminal.type(f"{key}\n" if asks[1] else key)
        code = terminal.ends()
    said = terminal.seen.replace("\r\n", "\n")
    assert code == 0, f"{words[-1]}\nended with {code}:\n{said}"
    return said


def _server(place: Path, host: str, environment: dict[str, str]) -> Sshd:
    """An OpenSSH server whose home directory is a new one, and `host` in the reader's config."""
    there = place / host
    there.mkdir()
    tools = f"{TOOLS}:/usr/bin:/bin"
    server = Sshd(
        place,
        environment={"XDG_CACHE_HOME": str(place / "cache"), "PATH": tools, "HOME": str(there)},
        force_command=f'cd {there} && eval "$SSH_ORIGINAL_COMMAND"',
    ).__enter__()
    with server.ssh_config_path.open("a", encoding="utf-8") as config:
        config.write(f"Host {host}\n  HostName {server.host}\n  Port {server.port}\n")
    environment["PATH"] = f"{server.directory / 'bin'}:{environment['PATH']}"
    return server


def not_run() -> Iterator[tuple[str, str, str]]:
    """(page, the block's first line, why) of every block that is not run."""
    for page in pages():
        for block in blocks(text(page)):
            if block.reason:
                yield page, block.body.splitlines()[0], block.reason
