"""Job shown: what counts for a job, key by key, as TOML, with where each value came from.

The same places in the same order as `decide/settle.py`, flags apart; values
stand as they were given.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from reconcile.decide.given import DEFAULT, Layer, own_prefix, variables_of
from reconcile.decide.job_keys import JOB_KEYS, VERSION_KEYS, Form, Key
from reconcile.decide.units import parse_switch

Said = str | bool | tuple[str, ...]


class Shown(NamedTuple):
    """One key and what counts for it."""

    key: str
    value: str
    """In TOML."""
    origin: str
    """`reconcile.toml:12`, `RECONCILE_MODE`, `default`; several, separated by commas."""


def shown(layers: Sequence[Layer], env: Mapping[str, str], job: str) -> tuple[Shown, ...]:
    """Every key that somebody said, and every other that has a default, in the order of the table.

    `left` and `right` are as they were written; where they lie is the caller's to say.
    """
    found = []
    for key in JOB_KEYS:
        if key.option:  # `marker` is shown as `require`
            continue
        one = _shown(key, layers, env, job)
        if one is not None:
            found.append(one)
    return tuple(found)


def toml(value: Said) -> str:
    """A value as TOML writes it. Its text holds no lone surrogate."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(toml(part) for part in value)}]"


def _shown(key: Key, layers: Sequence[Layer], env: Mapping[str, str], job: str) -> Shown | None:
    if key.form is Form.SIDES:
        return _table(key, layers, env, job, {side: f"{key.name}_{side}" for side in _SIDES})
    if key.form is Form.VERSIONS:
        parts = {part.name: part.options[0] for part in VERSION_KEYS}
        limited = _table(key, layers, env, job, parts)
        switch = _found(key.name, layers, env, job)
        if limited is not None and (switch is None or _is_on(switch[0])):
            return limited
    said = _found(key.name, layers, env, job, adds_up=key.adds_up)
    if said is None:
        return Shown(key.name, key.default, DEFAULT) if key.default else None
    value, origins = said
    if key.form in (Form.SWITCH, Form.VERSIONS):
        value = _is_on(value)
    return Shown(key.name, toml(_split(key, value)), ", ".join(origins))


def _is_on(value: Said) -> Said:
    """A switch as it is meant; a word that means neither stays as it is."""
    try:
        return parse_switch(value) if isinstance(value, str) else value
    except ValueError:
        return value


_SIDES = ("left", "right")


def _table(
    key: Key,
    layers: Sequence[Layer],
    env: Mapping[str, str],
    job: str,
    options: Mapping[str, str],
) -> Shown | None:
    """The parts of a table that somebody said; its default when nobody did."""
    parts = {name: _found(option, layers, env, job) for name, option in options.items()}
    said = {name: part for name, part in parts.items() if part is not None}
    if not said:
        is_default = key.default and key.form is Form.SIDES
        return Shown(key.name, key.default, DEFAULT) if is_default else None
    value = ", ".join(f"{name} = {toml(part[0])}" for name, part in said.items())
    origins = dict.fromkeys(origin for part in said.values() for origin in part[1])
    return Shown(key.name, f"{{ {value} }}", ", ".join(origins))


def _found(
    option: str,
    layers: Sequence[Layer],
    env: Mapping[str, str],
    job: str,
    *,
    adds_up: bool = False,
) -> tuple[Said, list[str]] | None:
    """(what counts, where it stands); None: nobody said it."""
    variable = next((v for v in variables_of(option, own_prefix(job)) if env.get(v)), "")
    near = env.get(variable, "")
    filed = [layer[option] for layer in layers if option in layer]
    if adds_up:
        parts = [part for each in filed for part, _ in each.parts()]
        origins = [spot.origin for each in filed for _, spot in each.parts()]
        parts += [part.strip() for part in near.split(",") if part.strip()]
        origins += [variable] if near else []
        return (tuple(parts), _unique(origins)) if parts else None
    if near:
        return near, [variable]
    return (filed[-1].value, [filed[-1].spot.origin]) if filed else None


def _split(key: Key, value: Said) -> Said:
    """Policies and metadata are one text where they are settled, and a list where they stand."""
    if key.form is not Form.LIST or isinstance(value, bool):
        return value
    texts = (value,) if isinstance(value, str) else value
    if key.name not in ("on_conflict", "meta"):
        return texts
    split: list[str] = []
    for text in texts:
        split += [text] if "=" in text else [word.strip() for word in text.split(",")]
    return tuple(split)


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
