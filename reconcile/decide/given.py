"""Given: flags and environment as one place to ask, and the list of what is wrong with them.

Owns the order of the places and the sentence about a bad value; what options
there are is `decide/settle.py`. Nothing raises here: a bad value is noted in
`wrong` and the default stands in for it, so that all is said at once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from reconcile.decide.units import parse_switch, unknown_word
from reconcile.model.errors import ReconcileError

Flag = str | bool | Sequence[str]
T = TypeVar("T")

DEFAULT = "default"
"""The origin of a value that nobody gave."""


class Given:
    """What was given, by option name with underscores."""

    def __init__(self, flags: Mapping[str, Flag], env: Mapping[str, str]) -> None:
        self._flags = flags
        self._env = env
        self.origins: dict[str, str] = {}
        """Where each option that was asked for came from: `--name`, `RECONCILE_NAME`, `default`."""
        self.wrong: list[str] = []
        """One sentence for each bad value, in the order of asking."""

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

    def many(self, name: str, *, split: bool = True) -> tuple[str, ...]:
        """Every value, in order. The environment's are separated by commas, if `split`."""
        found = self._find(name)
        if found is None or isinstance(found, bool):
            return ()
        if not isinstance(found, str):
            return tuple(found)
        if split and self.origins[name] != flag_of(name):
            return tuple(part.strip() for part in found.split(",") if part.strip())
        return (found,)

    def read(self, name: str, text: str, parse: Callable[[str], T]) -> T | None:
        """`text` as `parse` reads it; None, and a sentence in `wrong`, when it cannot."""
        try:
            return parse(text)
        except (ValueError, ReconcileError) as error:
            origin = self.origins.get(name, flag_of(name))
            gap = " " if origin.startswith("-") else "="
            self.wrong.append(f"`{origin}{gap}{text}`: {error}")
            return None

    def _find(self, name: str) -> Flag | None:
        """The place of a job file is between the two."""
        flag = self._flags.get(name)
        if flag is not None:
            self.origins[name] = flag_of(name) if flag is not False else flag_of(f"no_{name}")
            return flag
        variable = "RECONCILE_" + name.upper()
        if self._env.get(variable):
            self.origins[name] = variable
            return self._env[variable]
        self.origins[name] = DEFAULT
        return None


def flag_of(name: str) -> str:
    """`max_delete` as `--max-delete`."""
    return "--" + name.replace("_", "-")
