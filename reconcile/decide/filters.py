"""Filters: which entries take part, as gitignore(5) has it.

Owns which rule wins: the last one that matches an entry decides, and what lies
in an excluded directory cannot be had back. Callers walk top-down and prune, so
`Filter` judges one entry whose parents were accepted; `explain_path` walks by
itself. Names are bytes and compare exactly. It reads no file: patterns and the
heads of files come in as bytes. Globs are translated by `decide/globs.py`.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

from blake3 import blake3

from reconcile.decide.glob_index import GlobIndex
from reconcile.decide.globs import Glob, parse_glob
from reconcile.model.codec import encode
from reconcile.model.job import FilterRule, FilterSpec
from reconcile.model.treepath import TreePath, is_under, parents

TEXT_HEAD_BYTES = 8192
"""How much of a file `looks_like_text` wants to see."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


class Explained(NamedTuple):
    """Why a path takes part, or not."""

    excluded: bool
    rule: FilterRule | None
    """The rule that decided; None: no rule speaks of it, and it takes part."""
    at: TreePath
    """Where it was decided: the path itself, or the directory above that is excluded."""


class Filter:
    """A compiled FilterSpec. Immutable; safe to share between threads."""

    def __init__(self, spec: FilterSpec) -> None:
        self.spec = spec
        self.text_only = spec.text_only
        self._rules = spec.rules
        self._last_match = _matcher([parse_glob(_raw(rule.pattern)) for rule in spec.rules])
        self._selected = tuple(spec.select)
        self._ways = frozenset(above for path in spec.select for above in parents(path))
        self._not_selected = FilterRule(", ".join(map(_shown, spec.select)), origin="--select")
        self._too_large = FilterRule(f"{spec.max_size_bytes} bytes", origin="--max-size")
        self._too_young = FilterRule(f"{spec.min_age_ns} ns", origin="--min-age")

    @cached_property
    def meaning(self) -> bytes:
        """Equal for filters that judge alike; where a rule came from does not count."""
        rules = tuple((_raw(rule.pattern), rule.include) for rule in self.spec.rules)
        spec = self.spec
        rest = (sorted(spec.select), spec.text_only, spec.max_size_bytes, spec.min_age_ns)
        return encode((rules, rest))

    @cached_property
    def digest(self) -> bytes:
        """Of the meaning. A carried agent has no BLAKE3, and must not ask for it."""
        return blake3(self.meaning).digest()

    def excludes(self, path: TreePath, is_dir: bool) -> bool:
        """`path` does not take part; every directory above it does. Microseconds a call."""
        if self._selected and self._outside(path, is_dir):
            return True
        index = self._last_match(path, is_dir)
        return index >= 0 and not self._rules[index].include

    def rule_for(self, path: TreePath, is_dir: bool) -> FilterRule | None:
        """The rule that decides at this very entry, excluding or including; None: none matches."""
        if self._selected and self._outside(path, is_dir):
            return self._not_selected
        index = self._last_match(path, is_dir)
        return self._rules[index] if index >= 0 else None

    def excludes_file(self, size_bytes: int, mtime_ns: int, now_ns: int) -> FilterRule | None:
        """What keeps a file out by its size or age; None: nothing does.

        A file dated in the future is young.
        """
        if self.spec.max_size_bytes is not None and size_bytes > self.spec.max_size_bytes:
            return self._too_large
        if self.spec.min_age_ns is not None and now_ns - mtime_ns < self.spec.min_age_ns:
            return self._too_young
        return None

    def _outside(self, path: TreePath, is_dir: bool) -> bool:
        if is_dir and path in self._ways:
            return False
        return not any(is_under(path, top) for top in self._selected)


def compile_filter(spec: FilterSpec) -> Filter | None:
    """The filter of `spec`; None when nothing can ever be excluded."""
    some_rule_excludes = any(not rule.include for rule in spec.rules)
    some_limit = spec.max_size_bytes is not None or spec.min_age_ns is not None
    if some_rule_excludes or some_limit or spec.select or spec.text_only:
        return Filter(spec)
    return None


def explain_path(filter_: Filter | None, path: TreePath, is_dir: bool) -> Explained:
    """Whether rules exclude `path`, which rule says so, and at which directory above.

    Size, age and content are not asked: they need the file.
    """
    if filter_ is None:
        return Explained(False, None, path)
    for above in reversed(parents(path)[:-1]):
        if filter_.excludes(above, is_dir=True):
            return Explained(True, filter_.rule_for(above, is_dir=True), above)
    return Explained(filter_.excludes(path, is_dir), filter_.rule_for(path, is_dir), path)


def compile_patterns(patterns: Sequence[str]) -> Callable[[bytes], int | None]:
    """A function from a path to the index of the last pattern that matches it, or None.

    Other than in a filter, a pattern that matches a directory speaks of all
    below it, and one that ends in `/` needs no directory at the path itself.
    No pattern matches the root.
    """
    last_match = _matcher([parse_glob(_raw(pattern)) for pattern in patterns])

    def index_for(path: bytes) -> int | None:
        places = [path, *parents(TreePath(path))][:-1]
        best = max((last_match(place, True) for place in places), default=-1)
        return best if best >= 0 else None

    return index_for


def parse_filter_file(text: bytes, origin: str) -> tuple[FilterRule, ...]:
    """The rules of a file in gitignore syntax, in order; `origin` becomes `origin:LINE`.

    As git reads it: comments, blank lines, `!`, CRLF, a UTF-8 mark, trailing
    blanks unless escaped. Bytes that are not UTF-8 are kept.
    """
    rules = []
    for number, line in enumerate(text.removeprefix(_UTF8_MARK).split(b"\n"), start=1):
        pattern = _trim(line.removesuffix(b"\r"))
        if pattern and not pattern.startswith(b"#"):
            rules.append(parse_rule(pattern, f"{origin}:{number}"))
    return tuple(rules)


def parse_rule(pattern: bytes, origin: str) -> FilterRule:
    """One pattern as it stands; a leading `!` includes."""
    include = pattern.startswith(b"!")
    text = pattern[include:].decode("utf-8", "surrogateescape")
    return FilterRule(text, include=include, origin=origin)


def looks_like_text(head: bytes) -> bool:
    """The first `TEXT_HEAD_BYTES` of a file are text: no NUL, or marked as UTF-16."""
    return b"\0" not in head[:TEXT_HEAD_BYTES] or head.startswith(_UTF16_MARKS)


def preset_rules(name: str) -> tuple[FilterRule, ...]:
    """The rules of a preset, origin `preset NAME`. Raises: KeyError, for an unknown name."""
    return tuple(parse_rule(p.encode(), f"preset {name}") for p in PRESETS[name].split())


PRESETS = {
    "hidden": ".*",
    "temp": r"""
        *.swp *.swo *.swx *.swpx *.tmp *.temp *.part *.partial *.crdownload *.bak *~
        .#* \#*# .~lock.*# ~$* .nfs* .fuse_hidden* .DS_Store ._* Thumbs.db desktop.ini
    """,
    "text": """
        * !*/ !*.txt !*.md !*.markdown !*.rst !*.adoc !*.org !*.tex !*.bib !*.log
        !*.json !*.jsonl !*.ndjson !*.csv !*.tsv !*.yaml !*.yml !*.toml !*.ini !*.cfg !*.conf
        !*.env !*.properties !*.xml !*.html !*.htm !*.css !*.scss !*.svg !*.sql !*.graphql
        !*.py !*.pyi !*.sh !*.bash !*.zsh !*.fish !*.ps1 !*.bat !*.js !*.mjs !*.ts !*.jsx !*.tsx
        !*.c !*.h !*.cc !*.cpp !*.hpp !*.go !*.rs !*.java !*.kt !*.rb !*.pl !*.php !*.lua !*.r
        !*.nix !*.cmake !*.diff !*.patch !*.srt !*.vtt !*.ics !*.vcf !Makefile !Dockerfile
        !README !LICENSE !CHANGELOG
    """,
}
"""Name -> its patterns, in order. `text` takes in by name; nothing is read for it."""


_LastMatch = Callable[[bytes, bool], int]


def _matcher(globs: Sequence[Glob]) -> _LastMatch:
    """(path, is_dir) -> index of the last glob that matches the entry itself, or -1."""
    numbered = tuple(enumerate(globs))
    for_file = _table([pair for pair in numbered if not pair[1].directories_only])
    for_dir = _table(numbered)
    return lambda path, is_dir: for_dir(path) if is_dir else for_file(path)


def _table(globs: Sequence[tuple[int, Glob]]) -> Callable[[bytes], int]:
    """Those that speak of names and those that speak of places, each by an index of their own."""
    by_name = GlobIndex(pair for pair in globs if not pair[1].by_path)
    by_path = [pair for pair in globs if pair[1].by_path]
    if not by_path:
        return lambda path: by_name(path[path.rfind(b"/") + 1 :])
    place = GlobIndex(by_path)
    return lambda path: max(by_name(path[path.rfind(b"/") + 1 :]), place(path))


def _trim(line: bytes) -> bytes:
    """Without trailing blanks, unless a backslash stands before one; cut at a NUL, as git does."""
    line = line.partition(b"\0")[0]
    kept = line.rstrip(b" ")
    escapes = len(kept) - len(kept.rstrip(b"\\"))
    if len(kept) < len(line) and escapes % 2:
        kept += b" "
    return kept


def _raw(pattern: str) -> bytes:
    return pattern.encode("utf-8", "surrogateescape")


def _shown(path: TreePath) -> str:
    return path.decode("utf-8", "backslashreplace")
