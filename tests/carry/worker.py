"""Runs on the far side's bare Python: decodes and encodes what it is told, with the stand-ins.

Requests on standard input, answers on standard output, each a pickle of
builtins behind its length: (type expression, bytes) -> (True, bytes) or (False, error).
"""

import pickle
import sys

sys.path.insert(0, sys.argv[1])

import later
import msgspec

from reconcile.model import entry, job, manifest, plan, policy, receipt
from reconcile.wire import messages

assert sys.argv[1] in msgspec.__file__

SPACE = {}
for module in (entry, job, manifest, plan, policy, receipt, messages):
    SPACE.update(vars(module))


def answer(kind, data):
    """Decode and encode again."""
    try:
        value = msgspec.msgpack.decode(data, type=later.typed(kind, SPACE))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return False, type(error).__name__ + ": " + str(error)
    if hasattr(type(value), "__struct_fields__"):
        assert value == msgspec.structs.replace(value)
        hash(value), repr(value)
    return True, msgspec.msgpack.encode(value)


while True:
    head = sys.stdin.buffer.read(4)
    if not head:
        break
    kind, data = pickle.loads(sys.stdin.buffer.read(int.from_bytes(head, "big")))
    reply = pickle.dumps(answer(kind, data), 4)
    sys.stdout.buffer.write(len(reply).to_bytes(4, "big") + reply)
    sys.stdout.buffer.flush()
