"""Our filters against git itself: the same files taken, the same rule deciding.

git's `ls-files -o` says which files take part, `check-ignore -v` which line of
the pattern file decided. Trees and pattern lists are seeded, so that a failure
can be had again.
"""

import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.decide.filters import compile_filter, explain_path, parse_filter_file
from reconcile.decide.globs import CLASSES
from reconcile.model.job import FilterSpec
from reconcile.model.treepath import TreePath

TRICKY = [
    b"*.tmp\n!keep.tmp\n",
    b"build/\n!build/keep.txt\n",
    b"build/*\n!build/keep.txt\n",
    b"/a\n",
    b"a/b\n",
    b"/a/\n",
    b"**/b\n",
    b"a/**\n",
    b"a/**\n!a/b\n",
    b"a/**/c\n",
    b"a/**/\n",
    b"**/a/**\n!**/a/b/\n",
    b"***/c\n",
    b"a/***\n",
    b"a/***/c\n",
    b"**\\/c\n",
    b"**\n!*/\n!*.c\n",
    b"*\n!*/\n!c\n",
    b"*/\n",
    b"**/\n",
    b"/*\n!/a\n",
    b"/**\n",
    b"//a\n",
    b"a//\n",
    b"a//b\n",
    b"/\n",
    b"//\n",
    b"!\n",
    b"!!x\n",
    b"\\!x\n",
    b"\\#x\n",
    b"#x\n",
    b" #x\n",
    b"x \n",
    b"x\\ \n",
    b"x\\  \n",
    b"x\\\\ \n",
    b"   \n",
    b"x\t\n",
    b"x\r\n",
    b"x\r",
    b"\xef\xbb\xbfx\n",
    b"\\\n",
    b"x\\\n",
    b"x\\/\n",
    b"\\x\n",
    b"\\*\n",
    b"a\\/b\n",
    b"[x\n",
    b"[]x]\n",
    b"[!x]\n",
    b"[^x]\n",
    b"[!]x]\n",
    b"[]\n",
    b"[!]\n",
    b"[a-c]\n",
    b"[c-a]\n",
    b"[a-]\n",
    b"[-a]\n",
    b"[a-c-x]\n",
    b"[\\]x]\n",
    b"[a\\-c]\n",
    b"[\\a-\\c]\n",
    b"[a\\\n",
    b"[[:digit:]]\n",
    b"[![:alpha:]]\n",
    b"[[:foo:]]\n",
    b"[[:alpha]\n",
    b"[[:alpha:x]\n",
    b"[[::]]\n",
    b"[[:]]\n",
    b"[[:digit:]-x]\n",
    b"a[!x]b\n",
    b"a[/]b\n",
    b"a[!x]c/d\n",
    b"?\n",
    b"a?b\n",
    b"*b*\n!*bb*\n",
    b"a*/b\n",
    b"*/b\n",
    b"*/*/c\n",
    b"*/**/c\n",
    b"\xff\n",
    b"[\x80-\xff]\n",
    b"\xc3?\n",
    b"?\xa9\n",
    b"x\0y\n",
    b"*.c\n*.a.c\n!*.b.c\n",
    b"*.\n",
    b".*\n",
    b".*\n!.a\n",
    b"c\n!c\nc\n",
]
NAMES = [
    *(b"a", b"b", b"c", b"d", b"x", b"ab", b"aab", b"abb", b"build", b"keep.txt", b"keep.tmp"),
    *(b"k.tmp", b"x.c", b"x.a.c", b"x.b.c", b".a", b".b.c", b"1", b"-", b"]", b"!x", b"!!x"),
    *(b"#x", b" #x", b"x ", b"x  ", b"x\\", b"x\t", b"x\r", b"*", b"\xff", b"\xc3\xa9", b"a\nb"),
    *(b"[x", b"\\", b"!", b"A", b"end.", b"a-b", b"\xef\xbb\xbfx", b"[:", b"^", b"x\\ "),
]
PIECES = [
    *(b"a", b"b", b"c", b"x", b"ab", b".c", b"build", b"keep", b"1"),
    *(b"*", b"*", b"**", b"?", b"[ab]", b"[!a]", b"[^b-x]", b"[[:alpha:]]", b"[]x]", b"[c-a]"),
    *(b"\\a", b"\\*", b"\xff", b"\xc3", b"\\ ", b"-", b"[", b"]"),
]


class Repository:
    """A work tree of random files that git and we look at."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.directories: set[bytes] = set()
        self.files: set[bytes] = set()
        subprocess.run(["git", "init", "-q", root], check=True)
        chance = random.Random(seed)
        for _ in range(160):
            self.add([chance.choice(NAMES) for _ in range(chance.randint(1, 5))])

    def add(self, names: list[bytes]) -> None:
        for depth in range(1, len(names)):
            above = b"/".join(names[:depth])
            if above in self.files:
                return
            self.directories.add(above)
        path = b"/".join(names)
        if path in self.directories:
            return
        self.files.add(path)
        place = os.path.join(os.fsencode(self.root), path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY))

    def taken_by_git(self, patterns: bytes) -> set[bytes]:
        """The files that git would add."""
        self.root.joinpath(".git/info/exclude").write_bytes(patterns)
        return set(self._git("ls-files", "-o", "-z", "--exclude-standard").split(b"\0")) - {b""}

    def lines_by_git(self) -> dict[bytes, int]:
        """Path -> number of the line that decided, under the patterns set last."""
        wanted = b"\0".join(b"./" + path for path in self.files | self.directories)
        said = self._git("check-ignore", "-v", "-z", "-n", "--stdin", "--no-index", given=wanted)
        fields = said.split(b"\0")
        rows = zip(fields[0::4], fields[1::4], fields[2::4], fields[3::4], strict=False)
        return {path[2:]: int(line) for _, line, _, path in rows if line}

    def _git(self, *words: str, given: bytes = b"") -> bytes:
        command = ["git", "-C", str(self.root), *words]
        answer = subprocess.run(command, input=given, capture_output=True, check=False)
        assert answer.returncode in (0, 1), answer.stderr
        return answer.stdout


@pytest.fixture(scope="module", params=range(2))
def repository(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    return Repository(tmp_path_factory.mktemp("git"), request.param)


def compare(repository: Repository, patterns: bytes) -> None:
    """No file is judged otherwise than by git, and no entry for another reason."""
    filter_ = compile_filter(FilterSpec(parse_filter_file(patterns, "exclude")))
    everything = dict.fromkeys(repository.files, False)
    everything |= dict.fromkeys(repository.directories, True)
    ours = {path: explain_path(filter_, TreePath(path), d) for path, d in everything.items()}

    taken = {path for path in repository.files if not ours[path].excluded}
    assert taken ^ repository.taken_by_git(patterns) == set(), patterns

    lines = {p: int(e.rule.origin.split(":")[1]) for p, e in ours.items() if e.rule}
    if filter_ is not None:
        assert set(lines.items()) ^ set(repository.lines_by_git().items()) == set(), patterns


def random_patterns(seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(60):
        yield b"".join(random_line(chance) for _ in range(chance.randint(1, 6)))


def random_line(chance: random.Random) -> bytes:
    """A `**` stands as a whole component: beside that, git's answer hangs on its age."""
    components = []
    for _ in range(chance.choice([1, 1, 1, 2, 2, 3, 4])):
        pieces = [chance.choice(PIECES) for _ in range(chance.randint(1, 3))]
        if len(pieces) > 1:
            pieces = [re.sub(rb"\*+", b"*", b"".join(pieces))]
        components += pieces
    first = chance.choice([b"", b"", b"!", b"/", b"!/"])
    return first + b"/".join(components) + chance.choice([b"", b"", b"", b"/", b" "]) + b"\n"


@pytest.mark.parametrize("patterns", TRICKY, ids=repr)
def test_tricky_patterns_mean_what_git_says(repository: Repository, patterns: bytes) -> None:
    compare(repository, patterns)


@pytest.mark.parametrize("seed", range(2))
def test_random_patterns_mean_what_git_says(repository: Repository, seed: int) -> None:
    for patterns in random_patterns(seed):
        compare(repository, patterns)


@pytest.mark.parametrize("name", sorted(name.decode() for name in CLASSES))
def test_classes_hold_the_bytes_git_puts_in_them(tmp_path: Path, name: str) -> None:
    repository = Repository(tmp_path, 0)
    for byte in set(range(1, 256)) - set(b"/."):
        repository.add([bytes([byte])])
    compare(repository, b"[[:%b:]]\n" % name.encode())
