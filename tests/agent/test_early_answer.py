"""An answer to contents may be here before it is looked for: a paced line makes that likely."""

import os
from collections.abc import Iterator

import pytest

from reconcile.trees.contents import Outgoing
from reconcile.trees.duplex import Duplex
from reconcile.trees.session import Session
from reconcile.wire import messages as m
from reconcile.wire.frames import ProtocolError
from tests.agent.liar import frame

FILE = b"x" * 1000


@pytest.fixture
def line() -> Iterator[tuple[Session, int]]:
    """A sending end, and the descriptor that what it hears is written to."""
    heard, say = os.pipe()
    gone, sent = os.pipe()
    yield Session(Duplex(heard, sent, stall_s=10.0)), say
    for fd in (heard, say, gone, sent):
        os.close(fd)


def test_an_answer_that_waits_already_is_the_answer(line: tuple[Session, int]) -> None:
    session, say = line
    out = Outgoing(session)
    os.write(say, frame(m.Alive()) + frame(m.Receipts(())))
    out.small(1, FILE)
    assert out.answer(m.Receipts) == m.Receipts(())


def test_a_stream_ends_and_the_answer_waits_already(line: tuple[Session, int]) -> None:
    session, say = line
    out = Outgoing(session)
    os.write(say, frame(m.Receipts(())))
    out.stream(1, [FILE], len(FILE))
    assert out.answer(m.Receipts) == m.Receipts(())


def test_an_answer_before_the_rest_is_none(line: tuple[Session, int]) -> None:
    session, say = line
    out = Outgoing(session)
    os.write(say, frame(m.Receipts(())))
    with pytest.raises(ProtocolError, match="an answer after 1000 bytes of content, before"):
        out.stream(1, [FILE, FILE], 2 * len(FILE))
    assert session.is_lost


@pytest.mark.parametrize("wrong", [m.Notes(()), m.Ack(5000), m.Done()], ids=lambda x: str(type(x)))
def test_another_answer_is_told_in_words(line: tuple[Session, int], wrong: object) -> None:
    session, say = line
    out = Outgoing(session)
    os.write(say, frame(wrong))
    out.small(1, FILE)
    with pytest.raises(ProtocolError) as caught:
        out.answer(m.Receipts)
    assert "(" not in caught.value.message
