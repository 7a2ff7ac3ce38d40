"""Answers to conflicts that somebody typed and that are not applied yet, kept beside the state.

They outlive a wrong key, a guard, a lock, a lost connection and the terminal itself: they go
when they are applied, or when somebody says so. An answer holds for the conflict that was
shown: where a side is another by now, it is forgotten.
"""

import contextlib
import os
from collections.abc import Iterable, Sequence

import msgspec

from reconcile.decide.chosen import Choice
from reconcile.engine.resolving import Decided, OpenConflict
from reconcile.model.codec import decode, encode
from reconcile.model.errors import ManifestError, StateError
from reconcile.model.plan import Conflict
from reconcile.store.own_files import check_own

_NAME = "answers"


class _Answer(msgspec.Struct, frozen=True):
    """One answer as it is written down."""

    conflict: Conflict
    choice: str
    content: bytes | None = None


def keep_answers(directory: str, decided: Iterable[Decided]) -> None:
    """Write them down in a pair's state directory, in place of what was there; none: forget."""
    data = [_Answer(each.conflict, each.choice.value, each.content) for each in decided]
    if not data:
        return forget_answers(directory)
    location = os.path.join(directory, _NAME)
    beside = f"{location}.{os.getpid()}"
    with contextlib.suppress(OSError):  # a full disk must not end the asking
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file:
            file.write(encode(data))
        os.replace(beside, location)
    return None


def kept_answers(directory: str, found: Sequence[OpenConflict]) -> Sequence[Decided]:
    """Those that hold for conflicts that are open still, in the order of `found`."""
    location = os.path.join(directory, _NAME)
    try:
        if not check_own(location):
            return ()
        with open(location, "rb") as file:
            data = decode(file.read(), list[_Answer])
    except (OSError, StateError, ManifestError):
        return ()
    answers = {each.conflict.id: each for each in data}
    kept = [(each.conflict, answers.get(each.conflict.id)) for each in found]
    return [
        Decided(conflict, Choice(answer.choice), answer.content)
        for conflict, answer in kept
        if answer is not None and answer.conflict == conflict and answer.choice in set(Choice)
    ]


def forget_answers(directory: str) -> None:
    """They are applied, or dropped on purpose."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(directory, _NAME))
