"""What the tests of the Python API share."""

from pathlib import Path
from typing import Unpack

import pytest

from reconcile import Options, Pair


class Sides:
    """Two directories and a state, and the pair of them."""

    def __init__(self, place: Path) -> None:
        self.left = place / "left"
        self.right = place / "right"
        self.state = place / "state"
        self.left.mkdir()
        self.right.mkdir()

    def pair(self, **options: Unpack[Options]) -> Pair:
        """The pair, with options."""
        return Pair(self.left, self.right, state_dir=self.state, **options)

    def fill(self, **files: str) -> None:
        """`left_a="x"`: a file of a side; `__` stands for a dot."""
        for name, content in files.items():
            side, _, rest = name.partition("_")
            (getattr(self, side) / rest.replace("__", ".")).write_text(content, encoding="utf-8")

    def read(self) -> tuple[dict[str, str], dict[str, str]]:
        """Name -> content of both sides, our own folder left out."""
        found = [
            {
                path.relative_to(top).as_posix(): path.read_text(encoding="utf-8")
                for path in sorted(top.rglob("*"))
                if path.is_file() and ".reconcile" not in path.parts
            }
            for top in (self.left, self.right)
        ]
        return found[0], found[1]


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    """Two empty directories."""
    return Sides(tmp_path)
