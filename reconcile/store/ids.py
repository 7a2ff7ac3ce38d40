"""Ids of runs and conflicts, read quickly for the shell's completion: no record is unpacked.

Light on purpose: nothing but sqlite3 is imported. What cannot be read is passed over.
"""

import os
import sqlite3
from collections.abc import Iterator
from heapq import merge
from typing import NamedTuple

from reconcile.model.errors import ReconcileError
from reconcile.store.database import DATABASE_NAME, Database, open_database
from reconcile.store.own_files import names

PAIRS = "pairs"
_BUSY_MS = 20
_MOST = 50


class RunId(NamedTuple):
    """A run, as its row has it."""

    id: str
    started_ns: int
    ended_ns: int
    """0: it has not ended."""


def run_ids(state_dir: str) -> tuple[RunId, ...]:
    """The last runs of all pairs, newest first: of one pair as they were begun."""
    statement = "SELECT id, started_ns, ended_ns FROM runs ORDER BY seq DESC LIMIT ?"
    found = [
        [RunId(*row) for row in database.rows(statement, _MOST)]
        for database in _databases(state_dir)
    ]
    return tuple(merge(*found, key=lambda run: -run.started_ns))[:_MOST]


def conflict_ids(state_dir: str, beginning: str = "") -> tuple[str, ...]:
    """Conflicts that stand and whose id begins so, at most a few hundred."""
    found: list[str] = []
    statement = "SELECT id FROM conflicts WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
    for database in _databases(state_dir):
        rows = database.rows(statement, beginning, beginning + "\U0010ffff", 4 * _MOST)
        found += [str(row[0]) for row in rows]
    return tuple(sorted(found))


def _databases(state_dir: str) -> Iterator[Database]:
    for pair in names(os.path.join(state_dir, PAIRS)):
        directory = os.path.join(state_dir, PAIRS, pair)
        if not os.path.isfile(os.path.join(directory, DATABASE_NAME)):
            continue
        try:
            database = open_database(directory, create=False, busy_ms=_BUSY_MS)
        except (ReconcileError, OSError):
            continue
        try:
            yield database
        except (ReconcileError, sqlite3.Error):
            continue
        finally:
            database.close()
