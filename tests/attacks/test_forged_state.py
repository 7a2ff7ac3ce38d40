"""A state whose schema was written by somebody else: what stands in it is not run."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconcile.agent.index import IndexHolder, index_directory
from reconcile.store.database import DATABASE_NAME
from reconcile.store.health import state_health
from reconcile.store.schema import FOREIGN
from tests.attacks.handed_over import run

_ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
FORGED = {
    "an endless view": (
        "ALTER TABLE {0} RENAME TO meant",
        f"CREATE VIEW {{0}} AS {_ENDLESS} SELECT meant.* FROM meant, c",
    ),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON {0} BEGIN DELETE FROM {0}; END",),
}


def forge(location: Path, how: str, table: str) -> None:
    with closing(sqlite3.connect(location, isolation_level=None)) as connection:
        for statement in FORGED[how]:
            connection.execute(statement.format(table))


@pytest.mark.parametrize("how", FORGED)
def test_a_state_with_a_view_or_a_trigger_is_damaged(tmp_path: Path, how: str) -> None:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    (tmp_path / "left" / "f").write_text("x")
    assert run("apply", "left", "right", "--yes", cwd=tmp_path).code == 0
    (location,) = tmp_path.rglob(DATABASE_NAME)
    forge(location, how, "sides")
    (tmp_path / "left" / "g").write_text("x")
    for words in (("diff", "left", "right"), ("apply", "left", "right", "--yes")):
        done = run(*words, cwd=tmp_path)
        assert done.code == 10, done
        assert "a view or a trigger stands in it" in done.err
    assert os.listdir(tmp_path / "right") != []
    assert not (tmp_path / "right" / "g").exists()
    assert run("doctor", "left", "right", cwd=tmp_path).code == 1
    assert state_health(str(location.parent)).problems != ()
    words = ("apply", "left", "right", "--yes", "--allow", "state-corrupt")
    assert run(*words, cwd=tmp_path).code == 0
    assert (tmp_path / "right" / "g").read_text() == "x"


@pytest.mark.parametrize("how", FORGED)
def test_an_index_at_the_far_side_is_made_anew(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    location = Path(index_directory(b"/root", "pair")) / DATABASE_NAME
    for _ in range(2):
        holder = IndexHolder(b"/root", "pair")
        held = holder.hold()
        assert held is not None, holder.why_not
        assert held.known is None
        holder.close()
        assert views_and_triggers(location) == 0
        forge(location, how, "known")


def views_and_triggers(location: Path) -> int:
    with closing(sqlite3.connect(location)) as connection:
        return int(connection.execute(FOREIGN).fetchone()[0])
