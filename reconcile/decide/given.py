"""Given: flags, environment and job file as one place to ask, and what is wrong with them.

Owns the order of the places and the sentence about a bad value; what options
there are is `decide/settle.py`. Nothing raises here: a bad value is noted in
`wrong` and the default stands in for it, so that all is said at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from reconcile.decide.units import parse_switch, unknown_word
from reconcile.model.errors import ReconcileError

Flag = str | bool | Sequence[str]
T = TypeVar("T")

DEFAULT = "default"
"""The origin of a value that nobody gave."""


class Spot(NamedTuple):
    """A place in a job file, counted from 1."""

    file: str
    line: int
    column: int

    @property
    def origin(self) -> str:
        """`reconcile.toml:12`."""
        return f"{self.file}:{self.line}"


class Filed(NamedTuple):
    """What a job file says of one option."""

    value: str | bool | tuple[str, ...]
    spots: tuple[Spot, ...]
    """One, or of a list one for each element, if it has any."""

    @property
    def spot(self) -> Spot:
        """Where it begins."""
        return self.spots[0]

    def parts(self) -> Iterator[tuple[str, Spot]]:
        """Each element of a list with its place."""
        if isinstance(self.value, tuple):
            yield from zip(self.value, self.spots, strict=False)


Layer = Mapping[str, Filed]
"""One table of a job file, by option name."""


class Wrong(NamedTuple):
    """A bad value."""

    sentence: str
    spot: Spot | None = None
    """Where it stands in a job file; None: it does not."""

    def __str__(self) -> str:
        return f"{self.spot.origin}: {self.sentence}" if self.spot else self.sentence


class Given:
    """What was given, by option name with underscores."""

    def __init__(
        self,
        flags: Mapping[str, Flag],
        env: Mapping[str, str],
        layers: Sequence[Layer] = (),
        job: str = "",
    ) -> None:
        """`layers` of the job file, the nearest last; `job` may have variables of its own."""
        self._flags = flags
        self._env = env
        self.layers = layers
        self._own = own_prefix(job) if job else ""
        self.origins: dict[str, str] = {}
        """Where each option that was asked for came from: `--name`, `RECONCILE_NAME`,
        `FILE:LINE`, `default`."""
        self.wrong: list[Wrong] = []
        """One for each bad value, in the order of asking."""

    def take(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """The value as `parse` reads it; `parse` raises ValueError with what is wrong."""
        found = self._find(name)
        if found is None:
            return default
        read = self.read(name, str(found), parse)
        return default if read is None else read

    def choose(self, name: str, words: Mapping[str, T], default: T) -> T:
        """One of a few words."""

        def parse(text: str) -> T:
            if text not in words:
                raise unknown_word(text, words)
            return words[text]

        return self.take(name, parse, default)

    def switch(self, name: str, default: bool) -> bool:
        """Yes or no."""
        found = self._find(name)
        if isinstance(found, bool):
            return found
        return self.take(name, parse_switch, default)

    def many(self, name: str, *, split: bool = True, filed: bool = True) -> tuple[str, ...]:
        """Every value, in order. The environment's are separated by commas, if `split`.

        Without `filed` the job file is not asked: what adds up is read there first.
        """
        found = self._find(name, filed=filed)
        if found is None or isinstance(found, bool):
            return ()
        if not isinstance(found, str):
            return tuple(found)
        if split and self.origins[name] != flag_of(name):
            return tuple(part.strip() for part in found.split(",") if part.strip())
        return (found,)

    def once(self, name: str) -> tuple[str, ...]:
        """Every value that this command line says itself."""
        found = self._flags.get(name)
        self.origins[name] = DEFAULT if found is None else flag_of(name)
        if found is None or isinstance(found, bool):
            return ()
        return (found,) if isinstance(found, str) else tuple(found)

    def read(
        self, name: str, text: str, parse: Callable[[str], T], spot: Spot | None = None
    ) -> T | None:
        """`text` as `parse` reads it; None, and a sentence in `wrong`, when it cannot.

        `spot`: where it stands in the job file, when the nearest of the name is not meant.
        """
        try:
            return parse(text)
        except (ValueError, ReconcileError) as error:
            self.complain(name, f"`{{}}{text}`: {error}", spot)
            return None

    def complain(self, name: str, sentence: str, spot: Spot | None = None) -> None:
        """Note what is wrong with an option; `{}` stands for it, with the sign before its value."""
        origin = self.origins.get(name, flag_of(name))
        at = spot or self._spot(name, origin)
        gap = f"{name} = " if at else origin + (" " if origin.startswith("-") else "=")
        self.wrong.append(Wrong(sentence.replace("{}", gap, 1), at))

    def is_filed(self, name: str) -> bool:
        """The value that counts stands in the job file; asked before."""
        return self._spot(name, self.origins[name]) is not None

    def _spot(self, name: str, origin: str) -> Spot | None:
        for layer in reversed(self.layers):
            if name in layer:
                spot = layer[name].spot
                return spot if spot.origin == origin else None
        return None

    def _find(self, name: str, *, filed: bool = True) -> Flag | None:
        flag = self._flags.get(name)
        if flag is not None:
            self.origins[name] = flag_of(name) if flag is not False else flag_of(f"no_{name}")
            return flag
        for variable in variables_of(name, self._own):
            if self._env.get(variable):
                self.origins[name] = variable
                return self._env[variable]
        for layer in reversed(self.layers):
            if name in layer:
                self.origins[name] = layer[name].spot.origin
                return layer[name].value if filed else None
        self.origins[name] = DEFAULT
        return None


def own_prefix(job: str) -> str:
    """How a job's own variables begin: `RECONCILE_JOB__PHOTOS__`."""
    return f"RECONCILE_JOB__{re.sub('[^A-Z0-9]', '_', job.upper())}__"


def variables_of(name: str, own: str = "") -> Iterator[str]:
    """The variables that say an option, the job's `own` before everybody's."""
    if own:
        yield own + name.upper()
    yield "RECONCILE_" + name.upper()


def flag_of(name: str) -> str:
    """`max_delete` as `--max-delete`."""
    return "--" + name.replace("_", "-")
