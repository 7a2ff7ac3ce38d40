"""Names that the standard library of 3.8 lacks, as far as sources like ours use them.

A list, not a proof: the proof is a run under 3.8. Source: the "New in version"
notes of https://docs.python.org/3/library/.
"""

import ast
from collections.abc import Iterator

from reconcile.trees.carry.keywords import newer_keywords

NEWER: dict[str, set[str]] = {
    "collections.abc": {"Buffer"},
    "contextlib": {"aclosing", "chdir"},
    "copy": {"replace"},
    "datetime": {"UTC"},
    "enum": {"EnumType", "ReprEnum", "StrEnum", "member", "nonmember", "property", "verify"},
    "fcntl": {"FICLONE", "FICLONERANGE", "F_GETPIPE_SZ", "F_SETPIPE_SZ", "F_OFD_SETLK"},
    "functools": {"cache"},
    "hashlib": {"file_digest"},
    "itertools": {"batched", "pairwise"},
    "math": {"cbrt", "lcm", "nextafter", "sumprod", "ulp"},
    "operator": {"call"},
    "os": {
        "CLONE_NEWNS", "EFD_CLOEXEC", "P_PIDFD", "eventfd", "eventfd_read", "eventfd_write",
        "pidfd_open", "process_cpu_count", "setns", "splice", "unshare",
        "waitstatus_to_exitcode",
    },
    "os.path": {"isjunction", "splitroot"},
    "random": {"randbytes"},
    "re": {"NOFLAG", "PatternError"},
    "signal": {"pidfd_send_signal"},
    "socket": {"recv_fds", "send_fds"},
    "sys": {"exception", "monitoring", "orig_argv", "stdlib_module_names"},
    "types": {"EllipsisType", "GenericAlias", "NoneType", "UnionType"},
    "typing": {
        "Annotated", "Concatenate", "LiteralString", "Never", "NotRequired", "ParamSpec",
        "Required", "Self", "TypeAlias", "TypeGuard", "TypeIs", "TypeVarTuple", "Unpack",
        "assert_never", "assert_type", "dataclass_transform", "override", "reveal_type",
    },
    "warnings": {"deprecated"},
}  # fmt: skip
_MODULES = {"compression", "graphlib", "tomllib", "zoneinfo"}
_METHODS = {
    "add_note", "bit_count", "blobopen", "deserialize", "getconfig", "getlimit", "hardlink_to",
    "is_junction", "is_relative_to", "randbytes", "removeprefix", "removesuffix", "serialize",
    "setconfig", "setlimit", "with_segments", "with_stem",
}  # fmt: skip
_PREFIXES = {"sqlite3": "SQLITE_"}


class TooNew(Exception):
    """A source that cannot be made to run on Python 3.8; says where and why."""


def unknown_names(tree: ast.Module) -> list[str]:
    """What the module uses and 3.8 has not, as sentences; empty when nothing is known.

    What stands under `if sys.version_info >= …` is passed over.
    """
    modules = dict(_modules(tree))
    names = dict(_imported(tree))
    return [
        f"line {getattr(node, 'lineno', 0)}: {what}"
        for node in live_nodes(tree)
        for what in (*_newer_in(node, modules), *_newer_called(node, modules, names))
    ]


def live_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that an older Python and a run (not a type checker) comes by."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and _is_guard(node.test):
            for other in node.orelse:
                yield other
                yield from live_nodes(other)
            continue
        yield node
        yield from live_nodes(node)


def _is_guard(test: ast.expr) -> bool:
    """`TYPE_CHECKING`, or `sys.version_info >= …`."""
    if isinstance(test, ast.Compare):
        return _dotted(test.left) == "sys.version_info" and isinstance(test.ops[0], ast.GtE)
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _modules(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name here, module) of every `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name here, whole name) of what `from module import name` binds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module or ''}.{alias.name}"


def _newer_called(node: ast.AST, modules: dict[str, str], names: dict[str, str]) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    dotted = _dotted(node.func)
    first, dot, rest = dotted.partition(".")
    known = {**modules, **names}
    if not dot:
        yield from newer_keywords(node, known.get(first, first))
    elif dotted.rpartition(".")[0] in modules:
        module, _, last = dotted.rpartition(".")
        yield from newer_keywords(node, f"{modules[module]}.{last}")
    else:
        yield from newer_keywords(node, f"{known[first]}.{rest}" if first in known else "")


def _newer_in(node: ast.AST, modules: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (a.name for a in node.names if a.name.split(".")[0] in _MODULES)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if module.split(".")[0] in _MODULES:
            yield module
        yield from (f"{module}.{a.name}" for a in node.names if _is_newer(module, a.name))
    elif isinstance(node, ast.Attribute):
        module = modules.get(_dotted(node.value), "")
        if _is_newer(module, node.attr) or (node.attr in _METHODS and not _is_own(node.value)):
            yield f"`{node.attr}` of `{module or 'a value'}`"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        given = len(node.args) + len(node.keywords)
        if node.func.attr in ("to_bytes", "from_bytes") and given < 2:
            yield f"`{node.func.attr}` without a byte order"
    elif _joins_dicts(node):
        yield "`|` of dicts"


def _joins_dicts(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.BitOr)
        and any(isinstance(side, ast.Dict | ast.DictComp) for side in (node.left, node.right))
    )


def _dotted(node: ast.expr) -> str:
    """`os.path` as text; empty for what is no plain name."""
    if isinstance(node, ast.Attribute):
        above = _dotted(node.value)
        return above and f"{above}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_newer(module: str, name: str) -> bool:
    prefix = _PREFIXES.get(module)
    return name in NEWER.get(module, ()) or (prefix is not None and name.startswith(prefix))


def _is_own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == "_later"
