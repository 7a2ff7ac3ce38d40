"""The near side makes its bundle once."""

import os
from pathlib import Path

import pytest

from reconcile.trees.carry.kept import the_bundle
from reconcile.trees.carry.package import Bundle


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path / "cache"))
    return tmp_path / "cache" / "reconcile" / "agent"


def test_the_second_time_it_is_only_read(cache: Path, bundle: Bundle) -> None:
    assert the_bundle() == bundle
    [file] = cache.iterdir()
    before = file.stat().st_ino, file.stat().st_mtime_ns
    assert the_bundle() == bundle
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before


def test_one_that_is_not_whole_is_made_anew(cache: Path, bundle: Bundle) -> None:
    the_bundle()
    [file] = cache.iterdir()
    good = file.read_bytes()
    file.write_bytes(good[:-1] + b"?")
    assert the_bundle() == bundle
    assert file.read_bytes() == good


def test_where_nothing_can_be_kept_it_is_made_each_time(cache: Path, bundle: Bundle) -> None:
    cache.parent.parent.write_bytes(b"a file is in the way")
    assert the_bundle() == bundle


def test_a_directory_others_can_write_to_is_not_believed(cache: Path, bundle: Bundle) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    assert the_bundle() == bundle
    assert not list(cache.iterdir())
