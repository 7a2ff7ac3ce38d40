"""A file whose name a side stored in another form is renamed, and renamed back.

The side was told one spelling and gives back another: what it moves away must leave
the baseline under the name that the baseline knows, or it reads as deleted later.
"""

from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.model.job import Job
from reconcile.model.manifest import Header
from reconcile.model.policy import Limits
from tests.stories.kinds import KINDS
from tests.stories.places import MemoryPlace

NFC, NFD = "caf\xe9".encode(), b"cafe\xcc\x81"
BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("new", [b"CAFE\xcc\x81", b"d/" + NFD])
@pytest.mark.parametrize("told", [NFD, NFC, b"e\xcc\x81/" + NFD])
@pytest.mark.parametrize("kind", ["composing", "folding"])
def test_what_is_renamed_and_renamed_back_is_on_both_sides(
    kind: str, told: bytes, new: bytes, tmp_path: Path
) -> None:
    left = MemoryPlace("left", BY_NAME[kind], Header())
    right = MemoryPlace("right", BY_NAME["folding"], Header())
    job = Job(left.url, right.url, str(tmp_path), limits=Limits(max_delete_share=None))
    for directory in (b"d", b"e\xcc\x81"):
        right.mkdir(directory)
    right.write(b"anchor", b"anchor", 1)
    right.write(told, b"content", 2)
    for old, name in [(told, told), *[(told, new), (new, told)] * 2]:
        right.rename(old, name)
        apply_job(job, silent, lambda planning: planning.plan)
        for place in (left, right):
            assert [held.content for held in place.held().values()].count(b"content") == 1
    left.close()
    right.close()
