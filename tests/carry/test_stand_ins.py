"""The stand-in for msgspec does as msgspec does: the same bytes, the same refusals."""

import pickle
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.model import entry, job, manifest, plan, policy, receipt
from reconcile.wire.messages import MESSAGES, WireStep
from tests.carry.pythons import bare
from tests.carry.typed_values import values_of

KINDS: dict[str, Any] = {
    "tuple[Entry, ...]": tuple[entry.Entry, ...],
    "list[tuple[bytes, bytes, bytes, int]]": list[tuple[bytes, bytes, bytes, int]],
    "Entry": entry.Entry,
    "Header": manifest.Header,
    "FilterSpec": job.FilterSpec,
    "Job": job.Job,
    "Rules": policy.Rules,
    "Limits": policy.Limits,
    "Plan": plan.Plan,
    "Step": plan.Step,
    "Receipt": receipt.Receipt,
    **{kind.__name__: kind for kind in MESSAGES.values()},
    "WireStep": WireStep,
}
FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
BIG = [HealthCheck.data_too_large, HealthCheck.too_slow]
"""A plan is a large value, and strings at the codec's edges are long: that is what is tried."""
QUICK = settings(max_examples=15, suppress_health_check=BIG)
LONG = settings(max_examples=100, suppress_health_check=BIG)


class Worker:
    """A bare Python with the bundle."""

    def __init__(self, python: str, bundle_file: Path) -> None:
        script = Path(__file__).with_name("worker.py")
        self._process = subprocess.Popen(
            [*bare(python), str(script), str(bundle_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def answer(self, kind: str, data: bytes) -> tuple[bool, Any]:
        """(True, encoded again) or (False, the error)."""
        pipes = self._process
        assert pipes.stdin
        assert pipes.stdout
        request = pickle.dumps((kind, data), 4)
        pipes.stdin.write(len(request).to_bytes(4, "big") + request)
        pipes.stdin.flush()
        size = int.from_bytes(pipes.stdout.read(4), "big")
        assert size, "the worker died"
        ok, found = pickle.loads(pipes.stdout.read(size))
        return ok, found

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def worker(python: str, bundle_file: Path) -> Iterator[Worker]:
    made = Worker(python, bundle_file)
    yield made
    made.close()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_msgspec_wrote_is_read_and_written_the_same(kind: str, worker: Worker) -> None:
    @QUICK
    @given(values_of(KINDS[kind]))
    def check(value: Any) -> None:
        data = msgspec.msgpack.encode(value)
        assert worker.answer(kind, data) == (True, data)

    check()


@pytest.mark.parametrize("kind", ["tuple[Entry, ...]", "Limits", "Receipt", "Seen"])
def test_what_msgspec_refuses_is_refused(kind: str, worker: Worker) -> None:
    @LONG
    @given(values_of(KINDS[kind]), st.data())
    def check(value: Any, data: st.DataObject) -> None:
        broken = _broken(msgspec.msgpack.encode(value), data)
        try:
            again = msgspec.msgpack.encode(msgspec.msgpack.decode(broken, type=KINDS[kind]))
        except FAULTS:
            assert not worker.answer(kind, broken)[0]
        else:
            assert worker.answer(kind, broken) == (True, again)

    check()


def _broken(data: bytes, draw: st.DataObject) -> bytes:
    """The bytes with one place changed."""
    at = draw.draw(st.integers(0, len(data) - 1))
    new = draw.draw(st.binary(max_size=3))
    return data[:at] + new + data[at + draw.draw(st.integers(0, 3)) :]


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300)
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=5), inner),
)


def test_plain_values_have_the_bytes_of_the_msgpack_package(worker: Worker) -> None:
    @LONG
    @given(ANYTHING)
    def check(value: Any) -> None:
        data = msgpack.packb(value)
        assert worker.answer("object", data) == (True, data)

    check()


@pytest.mark.parametrize("size", [15, 16, 31, 32, 255, 256, 65_535, 65_536])
@pytest.mark.parametrize("make", [lambda n: [1] * n, lambda n: "x" * n, lambda n: b"x" * n])
def test_lengths_at_which_the_form_changes(make: Any, size: int, worker: Worker) -> None:
    data = msgpack.packb(make(size))
    assert worker.answer("object", data) == (True, data)


REFUSED = {
    "nothing": ("int", b""),
    "something left over": ("int", b"\x01\x01"),
    "a byte that begins nothing": ("object", b"\xc1"),
    "a list longer than the input": ("list[int]", b"\xdd\xff\xff\xff\xff"),
    "a map longer than the input": ("dict[str, int]", b"\xdf\xff\xff\xff\xff"),
    "bytes longer than the input": ("bytes", b"\xc6\xff\xff\xff\xff"),
    "a pair of three": ("tuple[int, int]", b"\x93\x01\x02\x03"),
    "a row too short": ("Entry", b"\x91\xc4\x01a"),
    "a number out of its range": ("Count", b"\xff"),
    "bytes that are too long": ("Annotated[bytes, Meta(max_length=2)]", b"\xc4\x03abc"),
    "a float for an int": ("int", msgpack.packb(1.0)),
    "a bool for an int": ("int", b"\xc3"),
    "text for bytes": ("bytes", b"\xa1x"),
    "text that is no UTF-8": ("str", b"\xa1\xff"),
    "a kind there is not": ("Kind", b"\x63"),
    "a word there is not": ("HashName", b"\xa3md5"),
    "deeper than anything is": ("object", b"\x91" * 2000 + b"\x90"),
    "deeper in what is skipped": ("Done", b"\x91" + b"\x91" * 2000 + b"\x90"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_it_refuses(case: str, worker: Worker) -> None:
    ok, error = worker.answer(*REFUSED[case])
    assert not ok, case
    assert error.startswith(("DecodeError", "ValidationError"))


def test_fields_of_a_later_version_are_passed_over(worker: Worker) -> None:
    data = msgpack.packb([b"a", 1, 0, 0, 0, b"", [], "later", [{"x": [b"y"]}]])
    short = msgspec.msgpack.encode(entry.Entry(b"a", entry.Kind.FILE))
    assert worker.answer("Entry", data) == (True, short)
