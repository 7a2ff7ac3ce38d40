"""The exceptions, in msgspec's own tree."""


class MsgspecError(Exception):
    """The base of all."""


class EncodeError(MsgspecError):
    """A value that msgpack cannot hold."""


class DecodeError(MsgspecError, ValueError):
    """Bytes that are no msgpack."""


class ValidationError(DecodeError):
    """msgpack that is not of the type asked for."""
