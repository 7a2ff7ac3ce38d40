"""blake3, in name only: a carried agent has no compiled module, and speaks sha256."""


class blake3:  # noqa: N801 - the library's name
    """Can be named, not made."""

    AUTO = -1

    def __init__(self, *_args, **_options):
        raise NotImplementedError("this agent runs without blake3: its ids are sha256")
