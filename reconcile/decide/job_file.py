"""Job file: TOML texts become a book of jobs and endpoints, and a list of what is wrong.

Owns the shape of a file: which tables and keys there are, which form each value
has, what includes mean. What a value means is `decide/settle.py`'s. It reads
nothing: texts come in. Nothing raises: all that is wrong is told at once, each
with its file, line and column. docs/job-file.md is its specification.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reconcile.decide.given import Filed, Layer, Spot
from reconcile.decide.job_keys import (
    ENDPOINT_KEYS,
    JOB_KEYS,
    LATER_AT_TOP,
    LATER_IN_ENDPOINT,
    LATER_IN_JOB,
    ONCE,
    TABLES,
    TOP_KEYS,
    VERSION_KEYS,
    Form,
    Key,
)
from reconcile.decide.toml_places import Path, Place, places_of

VERSION = 1
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""Of a job or an endpoint: it is typed in shells, and `/` and `@` mean something else."""
_FILES = (".rplan", ".rman")
_LATER = "is not built in this version"


class Fault(NamedTuple):
    """One thing that is wrong with a file."""

    spot: Spot
    message: str

    def __str__(self) -> str:
        place = f":{self.spot.line}:{self.spot.column}" if self.spot.line else ""
        return f"{self.spot.file}{place}: {self.message}"


class Document(NamedTuple):
    """One file's content."""

    name: str
    """As it is shown."""
    directory: str
    """Its own, absolute: what is relative in it begins there."""
    data: bytes
    is_included: bool = False


class Endpoint(NamedTuple):
    """`[endpoint.NAME]`: a URL and the options it is reached with."""

    name: str
    given: Layer
    directory: str
    spot: Spot


class JobEntry(NamedTuple):
    """`[job.NAME]`, with the defaults of every file below it, the nearest last."""

    name: str
    layers: tuple[Layer, ...]
    directory: str
    spot: Spot

    def said(self, name: str) -> Filed | None:
        """What the nearest table says of `left`, `right`, `labels_left` …"""
        for layer in reversed(self.layers):
            if name in layer:
                return layer[name]
        return None


class Book(NamedTuple):
    """Everything the job files say. Names in the order of the files."""

    files: tuple[str, ...]
    jobs: Mapping[str, JobEntry]
    endpoints: Mapping[str, Endpoint]
    defaults: tuple[Layer, ...] = ()


def includes_of(document: Document) -> tuple[tuple[str, Spot], ...]:
    """The names or patterns it includes; what is wrong with the file is told by `read_book`."""
    text, table, _ = _parsed(document)
    if table is None or document.is_included:
        return ()
    page = _Page(document, text, [])
    found = page.filed((), TOP_KEYS[1], table["include"]) if "include" in table else None
    return tuple(found.parts()) if found is not None else ()


def read_book(documents: Sequence[Document]) -> tuple[Book, tuple[Fault, ...]]:
    """The book of one file and those it includes, the including one last."""
    faults: list[Fault] = []
    defaults: list[Layer] = []
    found: list[tuple[_Page, dict[str, Any]]] = []
    for document in documents:
        text, table, broken = _parsed(document)
        faults += broken
        if table is None:
            continue
        page = _Page(document, text, faults)
        page.check_top(table)
        defaults.append(page.layer(("defaults",), page.table(table, "defaults"), JOB_KEYS))
        found.append((page, table))
    endpoints: dict[str, Endpoint] = {}
    jobs: dict[str, JobEntry] = {}
    for page, table in found:
        for name, place in page.endpoints(table):
            page.add(endpoints, "endpoint", name, place)
        for name, entry in page.jobs(table, defaults):
            page.add(jobs, "job", name, entry)
    ordered = sorted(set(faults), key=lambda fault: (fault.spot, fault.message))
    files = tuple(document.name for document in documents)
    return Book(files, jobs, endpoints, tuple(defaults)), tuple(ordered)


def _parsed(document: Document) -> tuple[str, dict[str, Any] | None, list[Fault]]:
    """(text, table, faults); no table when it is no TOML at all."""
    try:
        text = document.data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = document.data.count(b"\n", 0, error.start) + 1
        column = error.start - document.data.rfind(b"\n", 0, error.start)
        return "", None, [Fault(Spot(document.name, line, column), "this is not UTF-8")]
    try:
        return text, tomllib.loads(text), []
    except RecursionError:
        return text, None, [Fault(Spot(document.name, 1, 1), "values are nested too deeply")]
    except tomllib.TOMLDecodeError as error:
        return text, None, [_syntax(document.name, text, str(error))]


def _syntax(name: str, text: str, said: str) -> Fault:
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    message = said[: found.start()] if found else said
    message = message[:1].lower() + message[1:]
    if found is not None and found[1]:
        return Fault(Spot(name, int(found[1]), int(found[2])), message)
    lines = text.split("\n")
    return Fault(Spot(name, len(lines), len(lines[-1]) + 1), f"{message} at the end of the file")


class _Page:
    """One file while it is read: its tables, its places, and the common list of faults."""

    def __init__(self, document: Document, text: str, faults: list[Fault]) -> None:
        self._document = document
        self._places: Mapping[Path, Place] = places_of(text)
        self._faults = faults

    def check_top(self, table: Mapping[str, Any]) -> None:
        """What stands outside every table, and tables nobody knows."""
        known = (*(key.name for key in TOP_KEYS), *TABLES)
        for name in table:
            if name in LATER_AT_TOP:
                self._fault((name,), f"`{name}` {_LATER}")
            elif name not in known:
                self._unknown((name,), name, known, "")
        if self._document.is_included and "include" in table:
            self._fault(("include",), "an included file includes no other")
        version = table.get("version")
        if version is None and not self._document.is_included:
            self._fault((), f"`version = {VERSION}` is missing")
        elif version is not None and (version != VERSION or isinstance(version, bool)):
            self._fault(("version",), f"this version of reconcile reads `version = {VERSION}`")
        if "include" in table:
            self.filed((), TOP_KEYS[1], table["include"])

    def table(self, above: Mapping[str, Any], *path: str) -> dict[str, Any]:
        """A table; empty, and a fault, when something else bears its name."""
        found = above.get(path[-1], {})
        if isinstance(found, dict):
            return found
        self._fault(path, f"`{path[-1]}` is a table: write `[{'.'.join(path)}]`")
        return {}

    def endpoints(self, table: Mapping[str, Any]) -> Iterator[tuple[str, Endpoint]]:
        """Each `[endpoint.NAME]`."""
        for name, path, said in self._named(table, "endpoint"):
            given = self.layer(path, said, ENDPOINT_KEYS)
            if "url" not in said:
                self._fault(path, "`url` is missing")
            elif "url" in given:
                yield name, Endpoint(name, given, self._document.directory, self._spot(path))

    def jobs(
        self, table: Mapping[str, Any], defaults: Sequence[Layer]
    ) -> Iterator[tuple[str, JobEntry]]:
        """Each `[job.NAME]`."""
        for name, path, said in self._named(table, "job"):
            own = self.layer(path, said, JOB_KEYS)
            for side in ("left", "right"):
                if side not in said and not any(side in layer for layer in defaults):
                    self._fault(path, f"`{side}` is missing")
            layers = (*(layer for layer in defaults if layer), own)
            yield name, JobEntry(name, layers, self._document.directory, self._spot(path))

    def add(self, book: dict[str, Any], word: str, name: str, entry: Any) -> None:
        """Put an endpoint or a job in; a second one of the name is a fault."""
        if name in book:
            first = book[name].spot.origin
            self._fault((word, name), f"{word} `{name}` stands in {first} already")
        else:
            book[name] = entry

    def layer(self, path: Path, said: Mapping[str, Any], keys: Sequence[Key]) -> Layer:
        """What a table says, by option name; what is wrong with it is left out."""
        by_name = {key.name: key for key in keys}
        layer: dict[str, Filed] = {}
        for name, value in said.items():
            key = by_name.get(name)
            if key is None:
                self._unknown((*path, name), name, tuple(by_name), str(path[0]))
            elif key.form is Form.SIDES:
                layer |= self._sides(path, key, value)
            elif key.form is Form.VERSIONS:
                layer |= self._versions(path, key, value)
            else:
                filed = self.filed(path, key, value)
                if filed is not None:
                    self._put(layer, key.options[0], filed)
        return layer

    def filed(self, path: Path, key: Key, value: Any) -> Filed | None:
        """One value as text; None, and a fault, when it has another form."""
        where = (*path, key.name)
        spot = self._spot(where)
        match key.form, value:
            case Form.SWITCH, bool():
                return Filed(value, (spot,))
            case Form.TEXT | Form.AMOUNT, str():
                return Filed(self._placed(key, value), (spot,))
            case Form.AMOUNT, int() if not isinstance(value, bool):
                return Filed(str(value), (spot,))
            case Form.LIST, str():
                return _listed(key, (self._placed(key, value),), (spot,))
            case Form.LIST, list() if all(isinstance(each, str) for each in value):
                parts = tuple(self._placed(key, each) for each in value)
                spots = tuple(self._spot((*where, number)) for number in range(len(parts)))
                return _listed(key, parts, spots or (spot,))
        self._fault(where, f"`{key.name}` takes {key.form.value}, like `{key.example}`")
        return None

    def _sides(self, path: Path, key: Key, value: Any) -> Layer:
        where = (*path, key.name)
        if not isinstance(value, dict):
            self._fault(where, f"`{key.name}` takes {key.form.value}, like `{key.example}`")
            return {}
        found = {}
        for side, text in value.items():
            if side not in ("left", "right"):
                self._unknown((*where, side), side, ("left", "right"), key.name)
            elif not isinstance(text, str):
                self._fault((*where, side), f"`{key.name}.{side}` takes {Form.TEXT.value}")
            else:
                found[f"{key.name}_{side}"] = Filed(text, (self._spot((*where, side)),))
        return found

    def _versions(self, path: Path, key: Key, value: Any) -> Layer:
        where = (*path, key.name)
        if isinstance(value, bool):
            return {"versions": Filed(value, (self._spot(where),))}
        if not isinstance(value, dict):
            self._fault(where, f"`{key.name}` takes {key.form.value}")
            return {}
        layer = {"versions": Filed(True, (self._spot(where),))}
        return {**layer, **self.layer(where, value, VERSION_KEYS)}

    def _named(
        self, table: Mapping[str, Any], word: str
    ) -> Iterator[tuple[str, Path, dict[str, Any]]]:
        for name in self.table(table, word):
            if not NAME.fullmatch(name):
                what = "no name: letters, digits, `_`, `-` and `.`, and it begins with none of `-.`"
                self._fault((word, name), f"`{name}` is {what}")
                continue
            if name.endswith(_FILES):
                self._fault((word, name), f"`{name}` is no name: on a command line it is a file")
                continue
            path = (word, name)
            said = self.table(table[word], *path)
            if isinstance(table[word][name], dict):
                yield name, path, said

    def _placed(self, key: Key, text: str) -> str:
        """The name of a file that patterns come from, below the job file's own directory."""
        if key.name != "filter_from" or text.startswith(("/", "~")):
            return text
        return f"{self._document.directory}/{text}"

    def _put(self, layer: dict[str, Filed], option: str, filed: Filed) -> None:
        """`require` and `marker` say the same and add up."""
        before = layer.get(option)
        if before is not None and isinstance(before.value, tuple):
            assert isinstance(filed.value, tuple)
            filed = Filed(before.value + filed.value, before.spots + filed.spots)
        layer[option] = filed

    def _unknown(self, path: Path, name: str, known: Sequence[str], where: str) -> None:
        if where in ("job", "defaults", "endpoint"):
            later = LATER_IN_ENDPOINT if where == "endpoint" else LATER_IN_JOB
            if name in later:
                self._fault(path, f"`{name}` {_LATER}")
                return
            if name in ONCE:
                self._fault(path, f"`{name}` is no key: {ONCE[name]}")
                return
        from difflib import get_close_matches

        near = get_close_matches(name.lower().replace("-", "_"), known, 1)
        meant = f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(known)}"
        self._fault(path, f"unknown key `{name}`{meant}")

    def _fault(self, path: Path, message: str) -> None:
        self._faults.append(Fault(self._spot(path), message))

    def _spot(self, path: Path) -> Spot:
        place = self._places.get(path, Place(1, 1))
        return Spot(self._document.name, *place)


def _listed(key: Key, parts: tuple[str, ...], spots: tuple[Spot, ...]) -> Filed:
    """A list as its option takes it: policies for every path become one value, metadata too."""
    if key.name == "meta":
        return Filed(",".join(parts), spots[:1])
    if key.name != "on_conflict":
        return Filed(parts, spots)
    plain = ",".join(part for part in parts if "=" not in part)
    chosen = (*((plain,) if plain or not parts else ()), *(p for p in parts if "=" in p))
    return Filed(chosen, spots[:1] * len(chosen))
