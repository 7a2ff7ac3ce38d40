"""`reconcile pair`: which pairs the state knows, forgetting one, following a moved root."""

import os
from collections.abc import Sequence

from reconcile.cli.asked import job_asked
from reconcile.cli.columns import columns
from reconcile.cli.documents_json import KnownPairItem, PairsDocument
from reconcile.cli.face import Face
from reconcile.cli.places import state_dir_of
from reconcile.cli.prompt import confirmed
from reconcile.cli.words import count_text, counted, time_text
from reconcile.engine.pair_care import forget, listed, move
from reconcile.engine.pairs import pair_id
from reconcile.model.errors import ExitCode, NeedsApproval, NotFound, UsageError
from reconcile.store.records import PairRecord


def run(face: Face) -> int:
    """The code of docs/exit-codes.md."""
    match face.verb:
        case "pair list":
            return _list(face)
        case "pair forget":
            return _forget(face)
        case _:
            return _move(face)


def _list(face: Face) -> int:
    found = listed(state_dir_of(face))
    if face.is_json:
        face.document(_document(face, found))
        return ExitCode.OK
    if not found:
        face.say("No pair is known yet.")
        return ExitCode.OK
    rows = [
        (
            record.pair,
            time_text(record.last_run.started_ns) if record.last_run else "-",
            count_text(record.versions),
            _said(face, record),
        )
        for record in found
    ]
    for line in columns(("PAIR", "LAST RUN", "VERSIONS", "LEFT  RIGHT"), rows):
        face.say(line.rstrip())
    return ExitCode.OK


def _said(face: Face, record: PairRecord) -> str:
    if record.damage:
        return f"its state cannot be read: {face.out.text(record.damage)}"
    if not record.left:
        return "its sides were never reached"
    return f"{face.out.text(record.left)}  {face.out.text(record.right)}"


def _forget(face: Face) -> int:
    record = _named(face, listed(state_dir_of(face)))
    what = _said(face, record)
    if not face.flag("yes"):
        if not face.may_ask:
            raise NeedsApproval(
                "it would have to ask before it forgets a pair, and nobody can answer",
                hint="add --yes",
            )
        face.tell(what)
        kept = counted(record.versions, "version")
        asked = f"Forget what was agreed on and its history? {kept} on the sides stay there."
        if not confirmed(face, asked):
            face.tell("not forgotten: nothing was changed")
            return ExitCode.DECLINED
    forget(state_dir_of(face), record.pair)
    return _answer(face, [record], f"Forgot {what}; no file was touched.")


def _named(face: Face, found: Sequence[PairRecord]) -> PairRecord:
    """The pair that the words name: an id of `pair list`, a job, or both sides."""
    wanted = face.words[0]
    if len(face.words) == 1:
        for record in found:
            if record.pair == wanted:
                return record
    job = job_asked(face, face.words)
    wanted = pair_id(job.left, job.right)
    for record in found:
        if record.pair == wanted:
            return record
    raise NotFound("no state of these two sides is known", hint="see: reconcile pair list")


def _move(face: Face) -> int:
    old, new = face.words
    if "://" not in new and ":" not in new and not os.path.isdir(os.path.expanduser(new)):
        raise UsageError(
            f"there is no directory `{new}`", hint="move it first, then tell: reconcile pair move"
        )
    moved = move(state_dir_of(face), old, new)
    records = [PairRecord(pair.pair, pair.left, pair.right) for pair in moved]
    count = counted(len(moved), "pair")
    return _answer(face, records, f"{count} with {new} in the place of {old}; no file was touched.")


def _answer(face: Face, records: Sequence[PairRecord], text: str) -> int:
    if face.is_json:
        face.document(_document(face, records))
    elif not face.quiet:
        face.say(face.out.text(text))
    return ExitCode.OK


def _document(face: Face, found: Sequence[PairRecord]) -> PairsDocument:
    return PairsDocument(
        state_dir=state_dir_of(face),
        pairs=[
            KnownPairItem(
                pair=record.pair,
                left=record.left,
                right=record.right,
                last_run=record.last_run.id if record.last_run else None,
                versions=record.versions,
                damage=record.damage or None,
            )
            for record in found
        ],
    )
