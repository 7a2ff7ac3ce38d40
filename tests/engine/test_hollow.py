"""A directory of excluded things that the other side lacks is no difference, for nobody."""

import shutil
from pathlib import Path

import msgspec

from reconcile.cli.verbs.verify import verification_lines
from reconcile.engine.cycle import apply_job, verify
from reconcile.engine.events import silent
from reconcile.model.job import FilterRule, FilterSpec, Job
from tests.cli.conftest import face_of


def test_verify_agrees_after_a_filtered_deletion(tmp_path: Path) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    (left / "p" / "target").mkdir(parents=True)
    for name in ("p/target/t", "p/s", "other"):
        (left / name).write_text(name)
    right.mkdir()
    job = Job(str(left), str(right), str(tmp_path / "state"))
    apply_job(job, silent, lambda planning: planning.plan)
    shutil.rmtree(left / "p")
    spec = FilterSpec((FilterRule("target/"),))
    filtered = msgspec.structs.replace(job, filters=spec)
    apply_job(filtered, silent, lambda planning: planning.plan)

    assert [path.name for path in (right / "p").iterdir()] == ["target"]
    found = verify(filtered, silent)
    assert found.mismatches == ()
    verdict = verification_lines(face_of("verify left right"), found)[-1]
    assert "every file and link that takes part is equal" in verdict
    (right / "p" / "new").write_text("no filter hides this")
    assert [each.path for each in verify(filtered, silent).mismatches][-1] == b"p/new"
