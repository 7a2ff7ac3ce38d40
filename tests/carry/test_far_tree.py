"""A tree over there is the tree it would be here: the same ids, and steps that hold."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconcile.model.job import FilterRule, FilterSpec
from reconcile.model.manifest import Header, PageRow
from reconcile.model.treepath import TreePath
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.base import Tally
from reconcile.trees.carry.package import Bundle
from reconcile.trees.looking import Looking, Settings
from reconcile.trees.observe import observe
from reconcile.trees.remote import SessionOptions
from tests.carry.dialled import CarriedLink
from tests.carry.pythons import bare

EVERYTHING = FilterSpec()


class Kept:
    """The pages of one look."""

    def __init__(self) -> None:
        self.rows: list[PageRow] = []

    def write(self, rows: Sequence[PageRow]) -> None:
        self.rows += rows

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        pass


def root_id(root: Path) -> str:
    settings = Settings(Header("sha256"), now_ns=time.time_ns())
    seen = observe(os.fsencode(root), settings, None, Kept(), lambda tally: None)
    assert isinstance(seen.tally, Tally)
    return seen.root.id.hex()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Enough for pages and for workers; odd names, links, empty and nested directories."""
    top = os.fsencode(tmp_path / "root")
    os.mkdir(top)
    for name in (b"many", b"deep", b"deep/er", b"empty", b"odd \xff\n", *_numbered(b"d", 20)):
        os.mkdir(top + b"/" + name)
    for name in (
        b"a",
        b"odd \xff\n/b\xfe",
        *_numbered(b"many/f", 2500),
        *_numbered(b"deep/er/f", 9),
    ):
        Path(os.fsdecode(top + b"/" + name)).write_bytes(name * 3)
    os.symlink(b"../a", top + b"/deep/link")
    os.chmod(top + b"/a", 0o755)
    return tmp_path / "root"


def _numbered(stem: bytes, count: int) -> list[bytes]:
    return [stem + b"%d" % number for number in range(count)]


def test_both_ends_see_the_same_tree_before_and_after_a_step(
    root: Path, python: str, bundle_file: Path
) -> None:
    before = root_id(root)
    script = str(Path(__file__).with_name("look.py"))
    command = [*bare(python), script, str(bundle_file), os.fspath(root)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    first, change, second = (line.split() for line in answer.stdout.splitlines())
    assert first[:2] == [before, "2511"]
    assert int(first[2]) > 10_000
    assert change == ["done"]
    assert second[:2] == [root_id(root), "2512"]
    assert second[0] != before
    assert (root / "new").read_bytes() == b"written over there"


def look(
    tree: AgentTree, cursor: bytes, spec: FilterSpec = EVERYTHING
) -> tuple[str, bytes, list[PageRow]]:
    """(root id, cursor, pages that came) of one look."""
    kept = Kept()
    settings = Settings(Header("sha256"), now_ns=time.time_ns())
    seen = tree.look(Looking(settings, spec, cursor), None, kept, lambda tally: None)
    return seen.root.id.hex(), tree.cursor, kept.rows


def test_the_second_look_brings_only_what_changed(root: Path, bundle: Bundle, warm: Path) -> None:
    tree = AgentTree(
        lambda: CarriedLink(bundle, warm), "pipe://", os.fsencode(root), SessionOptions("p")
    )
    identifier, cursor, rows = look(tree, b"")
    assert identifier == root_id(root)
    assert len(rows) > 25
    assert look(tree, cursor) == (identifier, cursor, [])
    (root / "deep" / "er" / "f0").write_bytes(b"edited over there")
    again, _, rows = look(tree, cursor)
    assert again == root_id(root) != identifier
    assert sorted(row.key for row in rows) == [b"\0", b"deep\0\0", b"deep\0er\0\0"]
    tree.close()


@pytest.mark.parametrize(
    "spec",
    [
        FilterSpec(rules=(FilterRule("many"),)),
        FilterSpec(select=(TreePath(b"deep"),)),
        FilterSpec(text_only=True, max_size_bytes=5, min_age_ns=1),
    ],
)
def test_what_is_filtered_is_left_out_over_there(
    root: Path, bundle: Bundle, warm: Path, spec: FilterSpec
) -> None:
    tree = AgentTree(
        lambda: CarriedLink(bundle, warm), "pipe://", os.fsencode(root), SessionOptions("p")
    )
    everything, _, _ = look(tree, b"")
    filtered, cursor, _ = look(tree, b"", spec)
    assert filtered != everything
    assert look(tree, cursor, spec) == (filtered, cursor, [])
    tree.close()
