"""Makes those vectors of manifests/v1/agent that are not there yet.

Run it as `python -m tests.vectors.make_agent`. What stands there is never
written again: what changed fails in `test_agent.py` instead.
"""

import json
from typing import Any

import msgspec

from reconcile.wire import messages as m
from reconcile.wire.frames import encode_frame, packer
from tests.vectors.agent_bad import PAGES, STREAMS
from tests.vectors.agent_frames import CONVERSATIONS, FIRST, FRAMES, HEADER, TREES, Body
from tests.vectors.described import VECTORS, Described

PLACE = VECTORS / "agent"
SQUEEZED = ("zlib", "zstd")


def framed(what: Any) -> bytes:
    """A message or another frame, as it travels uncompressed."""
    kind, body = (what.type, what.body) if isinstance(what, Body) else m.encode_message(what)
    return encode_frame(kind, body, None)


def fields(what: Any) -> Any:
    """Its meaning, for JSON: bytes as `{"hex": …}`."""
    if isinstance(what, Body):
        return what.meaning
    if type(what) in m.NUMBERS:
        return _jsonable(msgspec.msgpack.decode(m.encode_message(what)[1]))
    return _jsonable(msgspec.to_builtins(what, builtin_types=(bytes,)))


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, list | tuple):
        return [_jsonable(one) for one in value]
    if isinstance(value, dict):
        return {key: _jsonable(one) for key, one in value.items()}
    return value


def sent(what: Any) -> Described:
    """A frame as hex; a piece of the large file as its head and what it repeats."""
    frame = framed(what)
    pattern = bytes(range(256))
    times = (len(frame) - 6) // 256
    if times and frame[6:] == pattern * times:
        return {"head": frame[:6].hex(), "repeat": [pattern.hex(), times]}
    return {"frame": frame.hex()}


def title(what: Any) -> str:
    """The message's name."""
    names = {m.PACK: "PACK", m.DATA: "DATA", m.COPY: "COPY"}
    return names[what.type] if isinstance(what, Body) else type(what).__name__


def made() -> dict[str, Described]:
    """Every vector, by its path below the folder."""
    found: dict[str, Described] = {}
    for name, what in FRAMES.items():
        found[f"frames/{name}"] = {
            "message": title(what),
            "type": framed(what)[4],
            "fields": fields(what),
            "frame": framed(what).hex(),
        }
    for name, (why, said) in CONVERSATIONS.items():
        lines = [{"from": who, "message": title(what), **sent(what)} for who, what in said]
        found[f"conversations/{name}"] = {"why": why, "tree": TREES[name], "said": lines}
    for name, bad in STREAMS.items():
        found[f"reject/{name}"] = bad._asdict() | {"stream": bad.stream.hex()}
    header = msgspec.to_builtins(HEADER)
    for name, (why, row) in PAGES.items():
        found[f"pages/{name}"] = {"why": why, "header": header, "row": fields(row)}
    for compression in SQUEEZED:
        found[f"squeezed/{compression}"] = squeezed(compression)
    return found


def squeezed(compression: str) -> Described:
    """One direction's stream: every message of the first frames, compressed in one go."""
    pack = packer(compression, 1)
    sent = [m.encode_message(what) for what in FIRST.values() if not isinstance(what, Body)]
    stream = b"".join(encode_frame(kind, body, pack) for kind, body in sent)
    said = [[kind, body.hex()] for kind, body in sent]
    return {"compression": compression, "stream": stream.hex(), "bodies": said}


def main() -> None:
    """Write what is missing."""
    for name, vector in made().items():
        place = PLACE / f"{name}.json"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(vector, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
