"""`reconcile man`: show a man page, list them, or write them into a directory."""

import os
import shutil
import subprocess
from difflib import get_close_matches

from reconcile.cli.columns import columns
from reconcile.cli.face import Face
from reconcile.cli.manpages import PAGES, ManPage, page_named, source_of
from reconcile.cli.start_json import ManDocument, ManItem
from reconcile.cli.words import counted
from reconcile.model.errors import Denied, ExitCode, UsageError
from reconcile.trees.children import environment
from reconcile.trees.placing import may_place, place

_MARK = b'.\\" Made by `reconcile man`.'


def run(face: Face) -> int:
    """0. Raises: UsageError, for a page there is not, and for a file that is not ours."""
    page = _asked(face)
    directory = os.path.expanduser(face.value("dir"))
    chosen = (page,) if page is not None else PAGES
    if "dir" in face.options:
        _refuse_foreign(directory, chosen)
    files = [_write(directory, each) if "dir" in face.options else "" for each in chosen]
    if face.is_json:
        return _document(face, page, chosen, files)
    if "dir" in face.options:
        if not face.quiet:
            where = face.out.path(os.fsencode(directory))
            face.say(f"Wrote {counted(len(files), 'page')} below {where}")
    elif page is None:
        _list(face)
    elif not (face.out.is_terminal and _shown(face, source_of(page))):
        face.say_raw(source_of(page).encode())
    return ExitCode.OK


def _asked(face: Face) -> ManPage | None:
    if not face.words:
        return None
    page = page_named(face.words)
    if page is None:
        word = "-".join(face.words)
        known = [name for p in PAGES for name in (p.name, p.name.removeprefix("reconcile-"))]
        close = get_close_matches(word, known, 1, 0.6)
        hint = f"did you mean: reconcile man {close[0]}" if close else "reconcile man lists them"
        raise UsageError(f"there is no man page `{word}`", hint=hint)
    return page


def _list(face: Face) -> None:
    rows = [(f"{page.name}({page.section})", page.about) for page in PAGES]
    for line in columns(("PAGE", ""), rows):
        face.say(line)
    face.say("")
    face.say("Read one:  reconcile man diff")
    face.say("Install:   reconcile man --dir ~/.local/share/man")


def _shown(face: Face, source: str) -> bool:
    """`man` showed the page: in its pager, or as plain text to whom nothing may be asked of."""
    program = shutil.which("man")
    if program is None:
        return False
    with_pager = face.may_ask and face.out.colour
    done = subprocess.run(
        [program, "-l", "-"], input=source.encode(), check=False,
        stdout=None if with_pager else subprocess.PIPE,
        env={"MANWIDTH": str(min(80, face.out.columns)), **environment(face.env)},
    )  # fmt: skip
    if not with_pager and done.returncode == 0:
        for line in done.stdout.decode("utf-8", "replace").rstrip("\n").split("\n"):
            face.say(face.out.text(line))
    return done.returncode == 0


def _place(directory: str, page: ManPage) -> str:
    return os.path.join(directory, f"man{page.section}", page.file)


def _refuse_foreign(directory: str, pages: tuple[ManPage, ...]) -> None:
    """Before the first page is written. Raises: UsageError."""
    for page in pages:
        location = _place(directory, page)
        try:
            if may_place(location, _is_ours):
                continue
        except OSError:
            continue  # it is told by whoever writes
        raise UsageError(
            f"`{location}` is not ours, so it is left as it is", hint="name another directory"
        )


def _is_ours(head: bytes) -> bool:
    return head.startswith(_MARK)


def _write(directory: str, page: ManPage) -> str:
    location = _place(directory, page)
    try:
        place(location, [source_of(page).encode("ascii")], _is_ours, mode=0o644, make=0o755)
    except OSError as error:
        raise Denied(f"a page cannot be written: {error.strerror}", where=location) from error
    return location


def _document(
    face: Face, page: ManPage | None, chosen: tuple[ManPage, ...], files: list[str]
) -> int:
    items = [
        ManItem(name=each.name, section=each.section, about=each.about, file=file)
        for each, file in zip(chosen, files, strict=True)
    ]
    face.document(ManDocument(pages=items, source=source_of(page) if page else ""))
    return ExitCode.OK
