"""Floors: import-linter's contracts hold, and they are the ones ARCHITECTURE.md promises."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path


def test_every_import_goes_downwards(root: Path) -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    answer = subprocess.run(
        [command, "--no-logo", "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_contract_names_every_floor(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = [layer for contract in contracts for layer in contract.get("layers", ())]
    floors = {name.strip() for layer in layers for name in layer.split("|")}
    packages = {f"reconcile.{path.parent.name}" for path in root.glob("reconcile/*/__init__.py")}
    assert packages == floors, "a package without a floor, or a floor without a package"
