"""Text merge with the base's content, by `git merge-file` where it is present.

Only clean merges count: one that would need markers decides nothing. The base
content is at hand when an earlier run under the policy `merge` kept it
(`store/content.py`); merged content waits there too, until it is applied.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator

from reconcile.decide.filters import TEXT_HEAD_BYTES, looks_like_text
from reconcile.engine.opened import Opened
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import Manifest, walk
from reconcile.model.plan import Plan, Side
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.store.content import ContentStore
from reconcile.trees.base import ChangeableTree, ContentChanged

LIMIT_BYTES = 1 << 20
"""Larger texts are not kept for merging, and not merged."""
_TIMEOUT_S = 60

Merge = Callable[[TreePath, Entry, Entry, Entry], Entry | str]
"""The merged file, or why there is none."""


def contents(opened: Opened) -> ContentStore:
    """The pair's kept contents."""
    return ContentStore(opened.directory, opened.header.hash_name)


def merger(opened: Opened) -> Merge:
    """Merges one path, or says why not: its texts, `git`, a state that cannot be written."""
    git = shutil.which("git")
    kept = contents(opened)

    def merge(path: TreePath, base: Entry, left: Entry, right: Entry) -> Entry | str:
        if git is None:
            return "`git` is not installed"
        if not opened.is_writable:
            return "the state cannot be written now"
        base_text = kept.get(base.id)
        if base_text is None:
            return "the base text is not kept"
        left_text, right_text = _text(opened.left, path, left), _text(opened.right, path, right)
        if left_text is None or right_text is None:
            side = Side.LEFT if left_text is None else Side.RIGHT
            return f"{side}'s content is no text to merge"
        merged = _merge_file(git, base_text, left_text, right_text)
        if merged is None:
            return "the changes do not merge cleanly"
        identifier = kept.put(merged)
        mtime_ns = max(left.mtime_ns, right.mtime_ns)
        return Entry(left.name, Kind.FILE, len(merged), mtime_ns, left.mode, identifier)

    return merge


def merged_content(opened: Opened) -> Callable[[bytes, int], Iterator[bytes]]:
    """The `engine.apply.Merged` of this pair."""
    kept = contents(opened)

    def read(content_id: bytes, offset: int) -> Iterator[bytes]:
        content = kept.get(content_id)
        if content is None:
            raise ContentChanged
        yield content[offset:]

    return read


def keep_bases(opened: Opened, plan: Plan, receipts: Iterable[Receipt], left: Manifest) -> None:
    """Keep the texts that both sides now agree on: the bases of later merges.

    Read on this machine where either side is here.
    """
    kept = contents(opened)
    done = {receipt.step for receipt in receipts if receipt.status is Status.DONE}
    for entry, places in _agreed(plan, done, left):
        if entry.kind != Kind.FILE or entry.size > LIMIT_BYTES or kept.get(entry.id) is not None:
            continue
        for side, path in sorted(places, key=lambda place: opened.remote(place[0]) is not None):
            text = _text(opened.tree(side), path, entry)
            if text is not None and kept.put(text) == entry.id:
                break


Place = tuple[Side, TreePath]


def _agreed(plan: Plan, done: set[int], left: Manifest) -> Iterator[tuple[Entry, list[Place]]]:
    """What is agreed on now, and where it stands, or stood a moment ago."""
    for step in plan.steps:
        if step.id in done and step.want is not None:
            places = [(step.side, step.at)]
            source = step.source
            if source is not None and source.side is not None:
                places.append((source.side, source.path))
            yield step.want, places
    for agreement in plan.agreements:
        if agreement.entry is None:
            continue
        yield agreement.entry, _on_both(agreement.path)
        if agreement.entry.kind == Kind.DIR:
            for path, entry in walk(left, agreement.path):
                yield entry, _on_both(path)


def _on_both(path: TreePath) -> list[Place]:
    return [(side, path) for side in Side]


def _text(tree: ChangeableTree, path: TreePath, entry: Entry) -> bytes | None:
    """The file's content when it is text and still what was seen; else None."""
    if entry.kind != Kind.FILE or entry.size > LIMIT_BYTES:
        return None
    try:
        content = b"".join(tree.read(path, entry))
    except (OSError, ContentChanged):
        return None
    return content if looks_like_text(content[:TEXT_HEAD_BYTES]) else None


def _merge_file(git: str, base: bytes, left: bytes, right: bytes) -> bytes | None:
    """The clean merge; None when it would need a person."""
    with tempfile.TemporaryDirectory(prefix="reconcile-") as place:
        names = []
        for name, content in (("left", left), ("base", base), ("right", right)):
            names.append(os.path.join(place, name))
            with open(names[-1], "wb") as file:
                file.write(content)
        command = [git, "merge-file", "-p", "--", *names]
        done = subprocess.run(  # our own files' names, no shell
            command, capture_output=True, check=False, timeout=_TIMEOUT_S, cwd=place
        )
    return done.stdout if done.returncode == 0 else None
