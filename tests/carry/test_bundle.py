"""The bundle: what is in it, and that it is the same each time."""

import ast
import io
import zipfile
from hashlib import sha256

import pytest

from reconcile.trees.carry.bundle import make_bundle
from reconcile.trees.carry.closure import Unbundled, closure
from reconcile.trees.carry.older import OLDEST
from reconcile.trees.carry.package import Bundle


def names(bundle: Bundle) -> set[str]:
    return set(zipfile.ZipFile(io.BytesIO(bundle.data)).namelist())


def test_it_holds_the_agent_and_all_below_it_and_no_face(bundle: Bundle) -> None:
    found = names(bundle)
    assert {"__main__.py", "carried.py", "msgspec/__init__.py", "reconcile/__init__.py"} <= found
    assert {
        "reconcile/agent/main.py",
        "reconcile/model/entry.py",
        "reconcile/trees/observe.py",
        "reconcile/trees/local.py",
        "reconcile/store/far_index.py",
        "reconcile/wire/messages.py",
    } <= found
    assert not [name for name in found if name.startswith(("reconcile/cli", "reconcile/engine"))]
    assert "reconcile/trees/agent_tree.py" not in found


def test_the_same_sources_give_the_same_bytes(bundle: Bundle) -> None:
    again = make_bundle()
    assert again == bundle
    assert again.sha256 == sha256(again.data).hexdigest()


def test_every_file_is_what_3_8_can_parse(bundle: Bundle) -> None:
    archive = zipfile.ZipFile(io.BytesIO(bundle.data))
    sources = [name for name in archive.namelist() if name.endswith(".py")]
    assert len(sources) > 50
    for name in sources:
        ast.parse(archive.read(name), name, feature_version=OLDEST)
        assert "import annotations" in archive.read(name).decode() or "reconcile" not in name


SOURCES = {
    "reconcile": '"""Top."""',
    "reconcile.a": "import os\nfrom reconcile import b\n",
    "reconcile.b": "def f():\n    from reconcile.c import x\n",
    "reconcile.c": "import json\n",
    "reconcile.guest": "import requests\n",
    "reconcile.shy": "def f():\n    from reconcile import guest\n    import requests\n",
    "reconcile.careful": "try:\n    import requests\nexcept ImportError:\n    pass\n",
    "reconcile.typed": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import requests\n"
        "    from reconcile import guest\n"
    ),
    "reconcile.newer": "import sys\nif sys.version_info >= (3, 14):\n    import requests\n",
    "reconcile.astray": "import reconcile.nowhere\n",
    "reconcile.near": "from . import a\n",
}


def found(entry: str, *shims: str) -> set[str]:
    sources = {name: text.encode() for name, text in SOURCES.items()}
    return set(closure([entry], sources.get, shims))


def test_imports_are_followed_those_inside_functions_too() -> None:
    assert found("reconcile.a") == {"reconcile", "reconcile.a", "reconcile.b", "reconcile.c"}


def test_a_guest_without_a_stand_in_is_refused() -> None:
    with pytest.raises(Unbundled, match=r"`reconcile\.guest` imports `requests`"):
        found("reconcile.guest")
    assert found("reconcile.guest", "requests") == {"reconcile", "reconcile.guest"}


@pytest.mark.parametrize("name", ["shy", "careful", "typed", "newer"])
def test_a_guest_that_may_be_missing_is_no_hindrance(name: str) -> None:
    assert found(f"reconcile.{name}") == {"reconcile", f"reconcile.{name}"}


def test_what_cannot_be_followed_is_refused() -> None:
    with pytest.raises(Unbundled, match=r"no module `reconcile.nowhere`"):
        found("reconcile.astray")
    with pytest.raises(Unbundled, match="relative"):
        found("reconcile.near")
