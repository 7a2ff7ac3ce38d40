"""Job keys: every key of a job file, as data.

Checking, the JSON Schema, docs/job-file.md and the file that `init` writes are
made of these tables. How a value is read is `decide/settle.py`'s: a key of a job
is the option of the same name. What is planned and not built has a word of its
own, so that it is refused and never passed over.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from reconcile.model.job import Durability
from reconcile.model.policy import Mode


class Form(Enum):
    """What TOML value a key takes."""

    TEXT = "a text in quotes"
    SWITCH = "`true` or `false`"
    AMOUNT = "a whole number or a text in quotes"
    LIST = "a list of texts, or one text"
    SIDES = "a table of `left` and `right`"
    VERSIONS = "`true`, `false` or a table"
    RUNS = "a whole number"


class Key(msgspec.Struct, frozen=True):
    """One key."""

    name: str
    form: Form
    meaning: str
    example: str
    """A value in TOML that is not the default."""
    default: str = ""
    """In TOML; empty: there is none, or it is said in `meaning`."""
    choices: tuple[str, ...] = ()
    option: str = ""
    """The option whose value it is, when that bears another name."""
    adds_up: bool = False
    """What the command line says comes after it and does not replace it."""
    heading: str = ""
    """Begins a group of keys: its title."""

    @property
    def options(self) -> tuple[str, ...]:
        """The names under which `settle` reads it."""
        if self.form is Form.SIDES:
            return (f"{self.name}_left", f"{self.name}_right")
        return (self.option or self.name,)


_MODES = tuple(mode.value for mode in Mode)
_DURABILITIES = tuple(each.value for each in Durability)

_SIDES = (
    Key(
        "left", Form.TEXT, "The left side: a directory, a URL, `host:path` or `@endpoint/sub`.",
        '"~/photos"', heading="The two sides",
    ),
    Key("right", Form.TEXT, "The right side.", '"@nas"'),
    Key(
        "labels", Form.SIDES, "What the sides are called where a plan is shown.",
        '{ left = "laptop", right = "nas" }', default='{ left = "left", right = "right" }',
    ),
)  # fmt: skip

_TRAVELS = (
    Key("mode", Form.TEXT, "Which changes travel.", '"mirror"', default='"two-way"',
        choices=_MODES, heading="What travels"),
    Key("delete", Form.SWITCH, "Carry deletions over; by `mode` unless said.", "false"),
    Key("on_conflict", Form.LIST,
        "Policies, tried in order; `GLOB=POLICY` for the paths that GLOB matches.",
        '["newer", "left", "*.md=merge"]', default='["report"]'),
    Key("tie", Form.TEXT, "Who wins when a policy cannot tell.", '"left"', default='"report"',
        choices=("report", "left", "right")),
    Key("window", Form.TEXT, "Times closer than this are equal.", '"5s"', default='"2s"'),
    Key("keep_name", Form.TEXT, "Who keeps the name under `keep-both`.", '"right"',
        default='"left"', choices=("left", "right")),
    Key("delete_vs_edit", Form.TEXT, "An edit beats a deletion (`keep`), or the policy says.",
        '"keep"', default='"policy"', choices=("keep", "policy")),
    Key("rights", Form.SIDES,
        "What may travel from a side: `all`, `none`, or some of `create,edit,delete`.",
        '{ left = "edit", right = "all" }', default='{ left = "all", right = "all" }'),
    Key("unicode", Form.TEXT, "How names pair.", '"exact"', default='"nfc"',
        choices=("nfc", "exact")),
    Key("fix_case", Form.SWITCH, "Rename where the sides differ only in case.", "true",
        default="false"),
    Key("moves", Form.SWITCH, "Recognise moves by content.", "false", default="true"),
)  # fmt: skip

_TAKES_PART = (
    Key("select", Form.LIST, "Only these directories.", '["2025", "2026"]', default="[]",
        heading="Which entries take part"),
    Key("preset", Form.LIST, "Leave out a known set: `temp`, `hidden`, `text`.", '["temp"]',
        default="[]", adds_up=True),
    Key("filter_from", Form.LIST, "Patterns from files (gitignore).", '["photos.ignore"]',
        default="[]", adds_up=True),
    Key("exclude", Form.LIST, "Leave out what these patterns match (gitignore).",
        '["*.tmp", ".thumbs/"]', default="[]", adds_up=True),
    Key("include", Form.LIST, "Take in again what these patterns match.", '["keep.tmp"]',
        default="[]", adds_up=True),
    Key("text_only", Form.SWITCH, "Only files of text.", "true", default="false"),
    Key("hidden", Form.SWITCH, "Names that begin with a dot take part.", "false", default="true"),
    Key("max_size", Form.AMOUNT, "Leave out larger files.", '"2G"'),
    Key("min_age", Form.TEXT, "Leave younger files for a later run.", '"10s"'),
    Key("hash", Form.TEXT, "Content hash.", '"sha256"', default='"blake3"',
        choices=("blake3", "sha256")),
    Key("meta", Form.LIST,
        "Tracked metadata: `exec`, `mode`, `owner`, `xattr`, `none`; times are always carried.",
        '["mode", "owner"]', default='["exec"]'),
    Key("links", Form.TEXT, "What to do with symbolic links.", '"portable"',
        default='"preserve"', choices=("preserve", "portable", "skip")),
    Key("paranoid", Form.SWITCH, "Hash every file again, each time.", "true", default="false"),
)  # fmt: skip

_GUARDS = (
    Key("require", Form.LIST, "Paths that must exist on both sides, or nothing is done.",
        '["index.md"]', default="[]", adds_up=True, heading="Guards"),
    Key("marker", Form.LIST, "The same under the name that says what it is for: a mount guard.",
        '".reconcile-here"', option="require", adds_up=True),
    Key("max_delete", Form.AMOUNT,
        "Deletions on a side: a count, or a share. 25% from 10 deletions on, unless said.",
        '"10%"'),
    Key("max_delete_size", Form.AMOUNT, "Bytes deleted.", '"1G"'),
    Key("max_change", Form.TEXT, "Share of the files changed.", '"50%"'),
    Key("allow_empty_side", Form.SWITCH, "A side may be empty.", "true", default="false"),
    Key("space_check", Form.SWITCH,
        "What comes to a side must fit there. `false`: holes or clones take less than is counted.",
        "false", default="true"),
)  # fmt: skip

_HOW = (
    Key("durability", Form.TEXT, "When content is flushed to disk.", '"full"',
        default='"batch"', choices=_DURABILITIES, heading="How it is done"),
    Key("versions", Form.VERSIONS, "Keep what is overwritten or deleted.", "false",
        default="true"),
    Key("compress", Form.SWITCH, "Compress content on its way to and from another machine.",
        "true", default="false"),
    Key("bwlimit", Form.TEXT, "Bytes a second to and from another machine, or a timetable.",
        '"08:00,512k 19:00,off"', default='"off"'),
    Key("lock_wait", Form.TEXT, "How long to wait for another run of the pair or in its roots.",
        '"5m"', default='"0s"'),
)  # fmt: skip

JOB_KEYS = (*_SIDES, *_TRAVELS, *_TAKES_PART, *_GUARDS, *_HOW)
"""In the order in which they are shown."""

ENDPOINT_KEYS = (
    Key("url", Form.TEXT, "Where it is: a directory, a URL or `host:path`.",
        '"ssh://backup@nas.lan/srv/photos"'),
    Key("identity", Form.TEXT, "A private key file.", '"~/.ssh/id_ed25519"'),
    Key("jump", Form.TEXT, "Hosts to go through: `[user@]host[:port]`, separated by commas.",
        '"gate.lan"'),
    Key("agent", Form.TEXT,
        "`auto`, `carry`, `never`, or the absolute path of `reconcile` over there.", '"never"',
        default='"auto"'),
    Key("config", Form.TEXT, "An ssh_config file to read instead of the user's own.",
        '"nas.ssh_config"'),
)  # fmt: skip

VERSION_KEYS = (
    Key("keep", Form.AMOUNT, "So many versions of each path of a side.", "5",
        option="versions_keep"),
    Key("max_age", Form.TEXT, "None that was superseded longer ago.", '"90d"',
        option="versions_max_age"),
    Key("max_size", Form.AMOUNT, "Bytes of everything the pair keeps; the oldest go first.",
        '"20G"', option="versions_max_size"),
)  # fmt: skip
"""Of the table `versions`."""

TOP_KEYS = (
    Key("version", Form.RUNS, "The version of this format: 1.", "1"),
    Key("include", Form.LIST, "More job files, by name or pattern, next to this one.",
        '["jobs.d/*.toml"]'),
)  # fmt: skip
TABLES = ("defaults", "endpoint", "job")

ONCE: Mapping[str, str] = {
    "allow": "it lifts a guard once: say `--allow GUARD` on the command line",
}
"""Options that no file may say: said for ever they would be no guard."""

LATER_IN_JOB = (
    "schedule", "interval", "watch", "tags", "hooks", "notify", "rule", "transfers", "checkers",
    "retries", "timeout", "keep_going", "chunk_size", "compare", "move", "verify", "max_time",
)  # fmt: skip
LATER_IN_ENDPOINT = (
    "access_key", "secret_key", "password", "token", "allowed_prefixes", "on_delete", "inactive",
)  # fmt: skip
LATER_AT_TOP = ("queue", "serve", "notify", "hooks")
"""Planned and not built in this version."""


def key_named(name: str) -> Key | None:
    """The key of a job of this name."""
    return _BY_NAME.get(name)


_BY_NAME = {key.name: key for key in JOB_KEYS}
