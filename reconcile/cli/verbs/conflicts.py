"""`reconcile conflicts`: what stands, what is behind one, and deciding them.

`list` reads only the state; `show` reads the two sides' texts as well, where it
can; `resolve` makes a plan of the answers and applies it as every plan is.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from reconcile.cli.asked import job_asked, job_between
from reconcile.cli.conflicts_json import (
    BelowItem,
    ChangedLine,
    ConflictDocument,
    ConflictsDocument,
    TextItem,
    standing_item,
)
from reconcile.cli.display import display_text
from reconcile.cli.face import Face
from reconcile.cli.places import state_dir_of
from reconcile.cli.render_conflict import (
    below_lines,
    clock_ns,
    entry_lines,
    head_lines,
    hunk_lines,
    legend_lines,
    list_lines,
    since_lines,
)
from reconcile.cli.threeway import Hunk, hunks, lines_of
from reconcile.cli.to_json import path_fields
from reconcile.decide.filters import compile_patterns
from reconcile.engine.merging import Merged
from reconcile.engine.pairs import pair_id
from reconcile.engine.resolving import (
    DELETED,
    Behind,
    Below,
    OpenConflict,
    named,
    open_conflicts,
    sides_of,
    unread_pairs,
)
from reconcile.model.errors import ConfigError, ExitCode, ReconcileError
from reconcile.model.job import Job
from reconcile.model.plan import Side

_PLAIN = (DELETED, "absent", "there was none", "a directory", "a link")
"""What the lines above have said already."""
_ID = re.compile(r"c-[0-9a-z]*\Z")


def run(face: Face) -> int:
    """The code of docs/exit-codes.md."""
    match face.verb:
        case "conflicts list":
            return _list(face)
        case "conflicts show":
            return _show(face)
    from reconcile.cli.resolve import resolve

    ids, asked, found = asked_about(face)
    return resolve(face, ids, asked, found)


def asked_about(face: Face) -> tuple[list[str], Job | None, Sequence[OpenConflict]]:
    """(the ids among the words, the job that the others name, what stands there).

    Without ids that is what `--only` lets through. A directory named like an id is `./c-…`.
    Raises: NotFound, UsageError, StateError.
    """
    ids = [word for word in face.words if _is_id(face, word)]
    what = [word for word in face.words if word not in ids]
    asked = job_asked(face, what) if what else None
    pairs = [pair_id(asked.left, asked.right)] if asked is not None else []
    found = open_conflicts(state_dir_of(face), pairs)
    for pair in () if pairs else unread_pairs(state_dir_of(face)):
        face.note(f"warning: the state of pair {pair} cannot be read: its conflicts are not known")
        face.note("  see: reconcile doctor")
    if ids:
        chosen = [named(found, wanted) for wanted in ids]
        found = [each for each in found if each in chosen]
    return ids, asked, _matching(face, found)


def _is_id(face: Face, word: str) -> bool:
    """It looks like an id, and no job has that name; a broken job file has no say in it."""
    if not _ID.match(word):
        return False
    try:
        loaded = face.jobs
    except ConfigError:
        return True
    return loaded is None or word not in loaded.book.jobs


def _matching(face: Face, found: Sequence[OpenConflict]) -> Sequence[OpenConflict]:
    if "glob" not in face.options:
        return found
    match = compile_patterns([face.value("glob")])
    return [each for each in found if match(each.conflict.path) is not None]


def job_behind(face: Face, asked: Job | None, found: OpenConflict) -> Job:
    """The job of a conflict's pair: as asked now, else as it was asked last."""
    if asked is not None and (asked.name or found.pair.job is None):
        return asked
    return found.pair.job or job_between(face, found.pair.left, found.pair.right)


def _list(face: Face) -> int:
    _, _, found = asked_about(face)
    if face.is_json:
        directory = state_dir_of(face)
        items = [standing_item(each) for each in found]
        face.document(ConflictsDocument(state_dir=directory, conflicts=items))
    elif found or not face.quiet:
        more = "".join(f" {word}" for word in typed_again(face))
        for line in list_lines(found, face.out, clock_ns(), more):
            face.say(line)
    return ExitCode.OK


def typed_again(face: Face) -> list[str]:
    """Which conflicts this line is about, in words to be typed again."""
    from shlex import quote

    glob, config = face.value("glob"), face.value("config")
    words = [*map(quote, face.words), *([f"--only {quote(glob)}"] if glob else [])]
    words += [f"-c {quote(config)}"] if config and face.words else []
    return [face.out.text(word) for word in words]


def _show(face: Face) -> int:
    _, asked, found = asked_about(face)
    if len(found) != 1:
        from reconcile.model.errors import UsageError

        raise UsageError("one conflict is shown at a time", hint="reconcile conflicts show ID")
    each = found[0]
    seen = _seen(job_behind(face, asked, each), each)
    if face.is_json:
        face.document(_document(each, seen))
        return ExitCode.OK
    for line in _lines(face, each, seen):
        face.say(line)
    return ExitCode.OK


class _Seen(NamedTuple):
    """What a look at both sides adds to what the state knows."""

    behind: Behind
    below: Sequence[Below]
    changed: Sequence[Hunk]


def _seen(job: Job, found: OpenConflict) -> _Seen:
    """A side that cannot be reached is said, where its text would stand."""
    try:
        with sides_of(job) as sides:
            behind, below = sides.behind(found.conflict), sides.below(found.conflict)
    except ReconcileError as error:
        why = f"not looked at: {error.message}"
        return _Seen(Behind(why, why, why), (), ())
    return _Seen(behind, below, hunks(*behind.compared) if behind.compared is not None else ())


def _lines(face: Face, found: OpenConflict, seen: _Seen) -> list[str]:
    behind, below, changed = seen
    look, conflict, now = face.out, found.conflict, clock_ns()
    lines = [*head_lines(conflict, look), *entry_lines(conflict, look, found.pair.hash_name)]
    lines += [f"  {side:<5}    {look.text(url)}" for side, url in _places(found)]
    lines += since_lines(found.standing, look, now)
    if changed:
        lines += legend_lines(behind.base_text is not None, look)
        lines += hunk_lines(changed, look)
    if below:
        lines += legend_lines(True, look, of_names=True)
        lines += below_lines(below, look)
    if behind.sides is not None:
        lines.append(f"  merge    {_merge_text(behind.merged())}")
    missing = (("base", behind.base), ("left", behind.left), ("right", behind.right))
    lines += [
        f"  {word:<5}    {look.text(text)}"
        for word, text in missing
        if isinstance(text, str) and text not in _PLAIN
    ]
    return [*lines, f"Resolve:  reconcile conflicts resolve {conflict.id}"]


def _merge_text(merged: Merged | str) -> str:
    if isinstance(merged, str):
        return f"not possible: {merged}"
    return "clean" if merged.is_clean else "not clean: it would need you (e edits both texts)"


def _places(found: OpenConflict) -> Sequence[tuple[str, str]]:
    return (Side.LEFT.value, found.pair.left), (Side.RIGHT.value, found.pair.right)


def _document(found: OpenConflict, seen: _Seen) -> ConflictDocument:
    behind, below, changed = seen
    merged = behind.merged()
    return ConflictDocument(
        standing=standing_item(found),
        base_text=_text_item(behind.base_text, behind.base),
        left_text=_text_item(None, behind.left),
        right_text=_text_item(None, behind.right),
        below=[
            BelowItem(side=each.side.value, sign=each.sign, path=path, path_b64=path_b64)
            for each in below
            for path, path_b64 in (path_fields(each.path),)
        ],
        merges=merged.is_clean if isinstance(merged, Merged) else None,
        diff=[
            ChangedLine(
                line=hunk.first_line,
                by=line.who.value if line.who is not None else "both" if line.sign != " " else "",
                sign=line.sign,
                text=display_text(line.shown.decode("utf-8", "surrogateescape")),
            )
            for hunk in changed
            for line in hunk.lines
        ],
    )


def _text_item(text: bytes | None, content: bytes | str) -> TextItem:
    if isinstance(content, str):
        return TextItem(lines=None, missing=display_text(content))
    if text is None and b"\0" in content:
        return TextItem(lines=None, missing="no text")
    return TextItem(lines=len(lines_of(content)))
