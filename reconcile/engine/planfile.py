"""Saved plans (`.rplan`): written for review, read back as a stranger's bytes.

    RPLAN1 \\n | length of body, 8 bytes big-endian | BLAKE3 of body, 32 bytes | body

The body is msgpack of `SavedPlan`: when, where and for how long, the job it was
made for (without the state directory), and the plan. An edited, cut or
lengthened file does not match its digest. A digest is no signature: whoever can
write the file can make a new one, so every path and every step is checked
before any of it is believed, and `PlanFile` says who could have written it. Whose
word then counts is `engine/plan_sides.py`'s.
"""

import gc
import os
import stat
from shlex import quote
from typing import NamedTuple

import msgspec
from blake3 import blake3

from reconcile import __version__
from reconcile.decide.makers import Maker, distrust
from reconcile.engine.plancheck import check_plan
from reconcile.model.codec import decode, encode
from reconcile.model.errors import ManifestError, NotFound, PlanCorrupt, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Plan, PlanKind
from reconcile.store.content import ContentStore
from reconcile.store.state import pair_directory
from reconcile.trees.regular import begins_with, open_found, read_open

MAGIC = b"RPLAN1\n"
LIMIT_BYTES = 512 * 1024 * 1024
_ANEW = "make a new plan: reconcile {} -o FILE.rplan"
_SYNC = "diff LEFT RIGHT"
_MAKE_NEW = _ANEW.format(_SYNC)
_HEAD = len(MAGIC) + 8 + 32


class SavedPlan(msgspec.Struct, frozen=True, array_like=True):
    """A plan as saved."""

    id: str
    """`p-…`, a function of the plan and the moment it was made."""
    plan: Plan
    job: Job
    """What was asked; its `state_dir` is empty."""
    created_ns: int
    expires_ns: int
    """After this it may not be applied."""
    host: str
    version: str
    """Of the tool that wrote it."""


class PlanFile(NamedTuple):
    """A saved plan, and who could have written the file it was read from."""

    location: str
    saved: SavedPlan
    maker: Maker

    @property
    def plan(self) -> Plan:
        """What it would do."""
        return self.saved.plan

    @property
    def id(self) -> str:
        """`p-…`"""
        return self.saved.id

    @property
    def distrust(self) -> str:
        """Why it is shown and not applied, unless its owner is named; empty: it is our own."""
        return distrust(self.maker, os.geteuid())

    def check(self, trusted: int | None = None) -> None:
        """Raises: UsageError (`E_PLAN_FOREIGN`), when it is not ours, nor of `trusted`."""
        why = distrust(self.maker, os.geteuid(), trusted)
        if why:
            raise self._foreign(why)

    def _foreign(self, why: str) -> UsageError:
        owner = user_text(self.maker.owner)
        is_named = not distrust(self.maker, os.geteuid(), self.maker.owner)
        name = user_name(self.maker.owner) or str(self.maker.owner)
        remedy = (
            f"--trust-owner {name}"
            if is_named
            else "a copy in a directory of your own (cp), or chmod go-w"
        )
        return UsageError(
            f"the plan `{self.location}` {why}, so it is not applied",
            where=f"owner {owner}, mode {self.maker.mode:04o}",
            hint=f"look at it: reconcile show {quote(self.location)}; when you trust it: {remedy}",
            code="E_PLAN_FOREIGN",
        )


def plan_id(plan: Plan, created_ns: int) -> str:
    """`p-` and twelve hex digits: the same for the same plan made at the same moment."""
    return "p-" + blake3(encode((created_ns, plan))).hexdigest()[:12]


def save_plan(
    location: str,
    plan: Plan,
    *,
    job: Job,
    created_ns: int,
    expires_ns: int,
    host: str,
    version: str,
) -> SavedPlan:
    """Write `plan` at `location` as one whole, mode 0600; an older plan there is replaced.

    Raises: UsageError, when something that is no plan stands there; NotFound, when it
    merges texts that wait nowhere, as they do not after an audit.
    """
    if lacks_texts(plan, pair_directory(job.state_dir, plan.made_from.pair)):
        raise NotFound(
            "this plan merges texts, and the state where they would wait was not written",
            hint="save it without --audit, when no other run is at work",
        )
    saved = SavedPlan(
        id=plan_id(plan, created_ns),
        plan=plan,
        job=msgspec.structs.replace(job, state_dir=""),
        created_ns=created_ns,
        expires_ns=expires_ns,
        host=host,
        version=version,
    )
    body = encode(saved)
    head = MAGIC + len(body).to_bytes(8, "big") + blake3(body).digest()
    _write_whole(location, head + body)
    return saved


def load_plan(location: str) -> PlanFile:
    """The plan saved at `location`, every part of it checked; whose it is, is not judged.

    Raises: NotFound; PlanCorrupt, saying what is wrong; UsageError, when it
    cannot be read.
    """
    data, maker = _read(location)
    return PlanFile(location, _checked(location, data), maker)


def _checked(location: str, data: bytes) -> SavedPlan:
    if data[: len(MAGIC)] != MAGIC:
        raise PlanCorrupt(f"`{location}` is not a saved plan", hint=_MAKE_NEW)
    length = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 8], "big")
    body = data[_HEAD:]
    if len(body) != length:
        raise PlanCorrupt(f"`{location}` is cut short or has grown", hint=_MAKE_NEW)
    if blake3(body).digest() != data[_HEAD - 32 : _HEAD]:
        raise PlanCorrupt(f"`{location}` was edited after it was saved", hint=_MAKE_NEW)
    try:
        saved = _decoded(body)
        check_plan(saved.plan)
    except ManifestError as error:
        raise PlanCorrupt(f"`{location}` holds no plan: {error.message}", hint=_MAKE_NEW) from error
    if saved.id != plan_id(saved.plan, saved.created_ns):
        raise PlanCorrupt(
            f"`{location}` bears another plan's id: it was altered, or saved by another version "
            f"({saved.version}; this is {__version__})",
            hint=_MAKE_NEW,
        )
    return saved


def _decoded(body: bytes) -> SavedPlan:
    """Half a million values are made and none is garbage: collecting would double the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return decode(body, SavedPlan)
    finally:
        if was_on:
            gc.enable()


def made_anew(plan: Plan) -> str:
    """The hint with which another plan for the same purpose is made."""
    verbs = {
        PlanKind.RESOLVE: "conflicts resolve LEFT RIGHT",
        PlanKind.UNDO: f"undo {plan.of}",
        PlanKind.RESTORE: "restore PATH",
    }
    return _ANEW.format(verbs.get(plan.kind, _SYNC))


def lacks_texts(plan: Plan, directory: str) -> bool:
    """It merges texts, and not all of them wait in the pair's state in `directory`."""
    kept = ContentStore(directory, plan.made_from.header.hash_name)
    merged = {
        step.source.entry.id
        for step in plan.steps
        if step.source is not None and step.source.side is None
    }
    return any(kept.get(identifier) is None for identifier in merged)


def is_plan_file(location: str) -> bool:
    """A file that begins as a saved plan does, or that is named like one."""
    return location.endswith(".rplan") or begins_with(location, MAGIC)


def user_name(uid: int) -> str:
    """What this machine calls the user; empty: it has no name for it."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def user_text(uid: int) -> str:
    """A user for people: `anna (user 1001)`."""
    name = user_name(uid)
    return f"{name} (user {uid})" if name else f"user {uid}"


def user_named(word: str) -> int:
    """The user id that a name or a number stands for. Raises: UsageError."""
    import pwd

    if word.isascii() and word.isdecimal() and len(word) < 11:
        return int(word)
    try:
        return pwd.getpwnam(word).pw_uid
    except (KeyError, ValueError):
        raise UsageError(f"there is no user `{word}` here") from None


def _read(location: str) -> tuple[bytes, Maker]:
    try:
        found = open_found(location)
    except FileNotFoundError as error:
        raise NotFound(f"there is no plan `{location}`") from error
    except OSError as error:
        raise UsageError(f"the plan `{location}` cannot be read: {error.strerror}") from error
    try:
        status = found.status
        if status.st_size > LIMIT_BYTES:
            raise PlanCorrupt(f"`{location}` is larger than any plan ({status.st_size} bytes)")
        maker = Maker(
            status.st_uid, found.name.st_uid, stat.S_IMODE(status.st_mode),
            found.held.st_uid, stat.S_IMODE(found.held.st_mode),
        )  # fmt: skip
        return read_open(found.descriptor, LIMIT_BYTES), maker
    except OSError as error:
        raise UsageError(f"the plan `{location}` cannot be read: {error.strerror}") from error
    finally:
        os.close(found.descriptor)


def _write_whole(location: str, data: bytes) -> None:
    """A reader finds the old file or the new one, never a part; 0600 from the first moment."""
    from reconcile.trees.placing import place  # who only reads plans needs none of it

    try:
        place(location, [data], lambda head: head.startswith(MAGIC), mode=0o600)
    except FileExistsError as error:
        raise UsageError(
            f"`{location}` exists and is no saved plan; it was left as it is",
            hint="name another file",
        ) from error
    except OSError as error:
        raise UsageError(f"the plan cannot be written to `{location}`: {error.strerror}") from error
