"""Keywords that functions and methods of the standard library of 3.8 do not take.

Of the modules that sources like ours may use. Source: the "Changed in version"
notes of https://docs.python.org/3/library/, as `vermin` 1.8 tells them.
"""

import ast
from collections.abc import Iterator, Mapping

FUNCTIONS = {
    "all_errors": "socket.create_connection",
    "allow_code": "marshal.dump marshal.dumps marshal.load marshal.loads",
    "alphabet": "binascii.a2b_base64 binascii.b2a_base64",
    "annotation_format": "inspect.signature",
    "arguments": "os.startfile",
    "array_hook": "json.load json.loads",
    "autocommit": "sqlite3.connect",
    "canonical": (
        "base64.a85decode base64.b32decode base64.b32hexdecode base64.b64decode "
        "base64.b85decode base64.z85decode binascii.a2b_base64"
    ),
    "closure": "exec",
    "color": "ast.dump",
    "compact": "traceback.TracebackException",
    "context": "threading.Thread",
    "counts": "random.sample",
    "cwd": "os.startfile",
    "defaults": "logging.Formatter",
    "delete": "tempfile.TemporaryDirectory",
    "delete_on_close": "tempfile.NamedTemporaryFile",
    "dir_fd": "glob.glob glob.iglob shutil.chown shutil.rmtree",
    "encoding": (
        "logging.basicConfig logging.config.fileConfig subprocess.getoutput "
        "subprocess.getstatusoutput"
    ),
    "errors": (
        "logging.FileHandler logging.basicConfig logging.handlers.RotatingFileHandler "
        "logging.handlers.TimedRotatingFileHandler logging.handlers.WatchedFileHandler "
        "subprocess.getoutput subprocess.getstatusoutput"
    ),
    "eval_str": "inspect.signature",
    "extra_groups": (
        "subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output "
        "subprocess.run"
    ),
    "fallback_to_class_doc": "inspect.getdoc",
    "filter": "shutil.unpack_archive",
    "follow_symlinks": "shutil.chown",
    "globals": "eval exec inspect.signature",
    "group": (
        "subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output "
        "subprocess.run"
    ),
    "ignore_cleanup_errors": "tempfile.TemporaryDirectory",
    "ignorechars": (
        "base64.b16decode base64.b32decode base64.b32hexdecode base64.b64decode "
        "base64.b85decode base64.z85decode binascii.a2b_base64 binascii.a2b_hex "
        "binascii.unhexlify"
    ),
    "in_fd": "os.sendfile",
    "include_extras": "typing.get_type_hints",
    "include_hidden": "glob.glob glob.iglob",
    "indent": "ast.dump",
    "inherit_class_doc": "inspect.getdoc",
    "initial": "functools.reduce",
    "key": (
        "bisect.bisect bisect.bisect_left bisect.bisect_right bisect.insort bisect.insort_left "
        "bisect.insort_right"
    ),
    "kw_only": "dataclasses.dataclass dataclasses.field",
    "locals": "eval exec inspect.signature",
    "match_args": "dataclasses.dataclass",
    "max_tasks_per_child": "concurrent.futures.ProcessPoolExecutor",
    "metadata_encoding": "zipfile.ZipFile",
    "module": "ast.parse compile",
    "onexc": "shutil.rmtree",
    "optimize": "ast.parse",
    "out_fd": "os.sendfile",
    "pad": "base64.z85encode",
    "padded": (
        "base64.b32decode base64.b32encode base64.b32hexdecode base64.b32hexencode "
        "base64.b64decode base64.b64encode base64.urlsafe_b64decode base64.urlsafe_b64encode "
        "binascii.a2b_base32 binascii.a2b_base64 binascii.b2a_base32 binascii.b2a_base64"
    ),
    "parent_mode": "os.makedirs",
    "pipesize": (
        "subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output "
        "subprocess.run"
    ),
    "process_group": (
        "subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output "
        "subprocess.run"
    ),
    "root_dir": "glob.glob glob.iglob",
    "show_cmd": "os.startfile",
    "show_empty": "ast.dump",
    "slots": "dataclasses.dataclass",
    "strict": "itertools.batched os.path.realpath",
    "strict_mode": "binascii.a2b_base64",
    "timeout": "logging.handlers.SysLogHandler",
    "trackfd": "mmap.mmap",
    "umask": (
        "subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output "
        "subprocess.run"
    ),
    "usedforsecurity": (
        "hashlib.blake2b hashlib.blake2s hashlib.md5 hashlib.new hashlib.sha1 hashlib.sha224 "
        "hashlib.sha256 hashlib.sha384 hashlib.sha3_224 hashlib.sha3_256 hashlib.sha3_384 "
        "hashlib.sha3_512 hashlib.sha512 hashlib.shake_128 hashlib.shake_256"
    ),
    "user": (
        "subprocess.Popen subprocess.call subprocess.check_call subprocess.check_output "
        "subprocess.run"
    ),
    "wbits": "zlib.compress",
    "wrapcol": (
        "base64.b16encode base64.b32encode base64.b32hexencode base64.b64encode "
        "base64.b85encode base64.z85encode binascii.b2a_base64"
    ),
}
"""Keyword -> whole names."""
METHODS = {
    "buffersize": "map",
    "cancel_futures": "shutdown",
    "case_sensitive": "glob match rglob",
    "count": "replace",
    "entrypoint": "load_extension",
    "filter": "iterdump",
    "follow_symlinks": "chmod exists group owner",  # the others are also those of os.DirEntry
    "locals": "from_callable",
    "n": "release",
    "newline": "read_text write_text",
    "parent_mode": "mkdir",
    "quote_annotation_strings": "format",
    "recurse_symlinks": "glob rglob",
    "show_group": "format_exception_only",
    "walk_up": "relative_to",
}
"""Keyword -> names of methods, of whatever value: a false alarm is told, a miss is not."""


def newer_keywords(call: ast.Call, name: str) -> Iterator[str]:
    """What `call` gives by keyword and 3.8 does not take; `name`: the function's, if known."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    for keyword in call.keywords:
        word = keyword.arg or ""
        if _has(FUNCTIONS, word, name):
            yield f"`{word}=` of `{name}`"
        elif not name and _has(METHODS, word, method):
            yield f"`{word}=` of the method `{method}`"


def _has(table: Mapping[str, str], word: str, name: str) -> bool:
    return bool(name) and name in table.get(word, "").split()
