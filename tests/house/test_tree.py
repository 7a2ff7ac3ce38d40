"""The checkout holds what it should, names no machine, and packs whole."""

import os
import re
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.house.checkout import tracked_files

TOP = {
    ".ci", ".git", ".gitattributes", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md",
    "CONTRIBUTING.md", "Justfile", "LICENSE", "README.md", "benchmarks", "docs", "examples",
    "manifests", "pyproject.toml", "reconcile", "schemas", "scripts", "tests",
}  # fmt: skip
MUST = {
    "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "Justfile", "LICENSE", "README.md",
    "pyproject.toml", ".ci/run", "scripts/test.sh", "scripts/try.sh", "manifests/FORMAT.md",
    "reconcile/py.typed",
}  # fmt: skip
FOREIGN = [
    re.compile(re.escape(os.fsencode(sys.prefix)) + rb"/(?:bin|lib)"),
    re.compile(rb"(?<![\w.])[/]root/"),
    re.compile(rb"/home/(?!me\b|user\b|you\b|alice\b|ana\b|bob\b)\w+"),
    re.compile(rb"\.pyenv"),
]


def test_the_top_level_holds_only_what_is_allowed(root: Path) -> None:
    tops = {path.relative_to(root).parts[0] for path in tracked_files(root)}
    assert tops <= TOP, f"not expected at the top: {sorted(tops - TOP)}"


@pytest.mark.parametrize("name", sorted(MUST))
def test_the_house_has_its_papers(name: str, root: Path) -> None:
    assert (root / name).is_file()


@pytest.mark.parametrize("name", ["scripts/test.sh", "scripts/try.sh", ".ci/run"])
def test_scripts_can_be_run(name: str, root: Path) -> None:
    assert (root / name).stat().st_mode & 0o111 == 0o111


def test_nothing_names_the_machine_it_was_written_on(root: Path) -> None:
    found = []
    for path in tracked_files(root):
        if path.is_symlink() or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if any(pattern.search(line) for pattern in FOREIGN):
                found.append(f"{path.relative_to(root)}:{number}: {line[:120]!r}")
    assert not found, "\n".join(found)


def test_every_text_file_ends_in_a_newline(root: Path) -> None:
    kinds = {".py", ".md", ".toml", ".sh", ".txt", ".json"}
    texts = [path for path in tracked_files(root) if path.suffix in kinds and not path.is_symlink()]
    ragged = [
        path.relative_to(root).as_posix()
        for path in texts
        if path.stat().st_size and not path.read_bytes().endswith(b"\n")
    ]
    assert not ragged, f"no newline at the end: {ragged}"


def test_the_wheel_holds_the_types_and_nothing_but_the_package(root: Path, tmp_path: Path) -> None:
    wheel = next(WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"]))
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert "reconcile/py.typed" in names
    assert all(top == "reconcile" or top.endswith(".dist-info") for top in tops), tops
    assert any(name.endswith("licenses/LICENSE") for name in names)
