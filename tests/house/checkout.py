"""What the house tests share: where the checkout is, and what belongs to it."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_OURS_ALONE = {".git", ".venv", ".try", "dist", "build"}


def tracked_files(root: Path) -> list[Path]:
    """Every file of the checkout, sorted: git's list (new files too), or all where git has none."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0 and listing.stdout:
        names = listing.stdout.decode().rstrip("\0").split("\0")
        paths = [root / name for name in names]
    else:
        paths = [path for path in root.rglob("*") if not _OURS_ALONE & set(path.parts)]
    return sorted(path for path in paths if path.is_symlink() or path.is_file())


@cache
def modules(root: Path, *tops: str) -> tuple[tuple[str, ast.Module], ...]:
    """(path, syntax tree) of every Python file below the named folders, sorted."""
    names = [path.relative_to(root).as_posix() for path in tracked_files(root)]
    return tuple(
        (name, ast.parse((root / name).read_text(encoding="utf-8"), name))
        for name in names
        if name.endswith(".py") and name.split("/")[0] in tops
    )
