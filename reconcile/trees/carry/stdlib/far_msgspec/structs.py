"""Functions over structs."""


def astuple(struct):
    """The values, in field order."""
    return struct.__values__(struct)


def asdict(struct):
    """Field name to value."""
    return dict(zip(struct.__struct_fields__, struct.__values__(struct)))


def replace(struct, **changes):
    """A copy with some fields changed. Raises: TypeError, for a field there is not."""
    values = asdict(struct)
    for name, value in changes.items():
        if name not in values:
            raise TypeError("%r has no field %r" % (type(struct).__name__, name))
        values[name] = value
    return type(struct)(**values)
