"""Job text: a job file as `init` writes it: what was said, and every other key as a comment."""

import textwrap
from collections.abc import Iterator, Mapping

from reconcile.decide.job_file import VERSION
from reconcile.decide.job_keys import ENDPOINT_KEYS, JOB_KEYS, VERSION_KEYS, Key
from reconcile.decide.job_shown import Said, toml

_WIDTH = 80
_HEAD = f"""\
# Which trees `reconcile` keeps in agreement, and how. Lines that begin with `#`
# are comments: take the `#` away from a key to say it.
#   reconcile config check     says what is wrong with this file
#   reconcile config show      says what counts
version = {VERSION}
"""


def job_file_text(name: str, said: Mapping[str, Said]) -> str:
    """A whole file with one job. `said`: its keys, `left` and `right` among them."""
    rest = [key for key in JOB_KEYS if key.name not in said]
    lines = [
        _HEAD,
        job_table(name, said),
        *_comments(rest),
        "",
        "# Limits of what is kept of overwritten and deleted content:",
        f"# [job.{name}.versions]",
        *_commented(VERSION_KEYS),
        "",
        "# Any key of a job, for every job that does not say it:",
        "# [defaults]",
        '# max_delete = "10%"',
        "",
        '# A side with a name: then `right = "@nas"`, and `@nas/sub` on the command line.',
        "# [endpoint.nas]",
        *_commented(ENDPOINT_KEYS),
    ]
    return "\n".join(lines) + "\n"


def job_table(name: str, said: Mapping[str, Said]) -> str:
    """`[job.NAME]` with what was said, in the order of the table of keys."""
    keys = [key.name for key in JOB_KEYS if key.name in said]
    width = max(map(len, keys))
    lines = [f"{key:<{width}} = {toml(said[key])}" for key in keys]
    return "\n".join([f"[job.{name}]", *lines])


def _comments(keys: list[Key]) -> Iterator[str]:
    """Under their headings, each with a value that is not the default."""
    headings = {key.name: key.heading for key in JOB_KEYS if key.heading}
    title = ""
    titles = {}
    for key in JOB_KEYS:
        title = headings.get(key.name, title)
        titles[key.name] = title
    shown = ""
    for key in keys:
        if titles[key.name] != shown:
            shown = titles[key.name]
            yield f"\n# {shown}:"
        yield from _commented((key,))


def _commented(keys: tuple[Key, ...]) -> Iterator[str]:
    for key in keys:
        if key.name != "versions":  # it has a table of its own
            line = f"{f'# {key.name} = {key.example}':<36}  # {key.meaning}"
            if len(line) > _WIDTH:
                yield from textwrap.wrap(
                    key.meaning, _WIDTH, initial_indent="#   ", subsequent_indent="#   "
                )
                line = f"# {key.name} = {key.example}"
            yield line
