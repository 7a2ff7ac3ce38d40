"""Every option, as data. One definition gives all the rest.

The fast parser (`cli/parse.py`), typer's commands, help and completion
(`cli/app.py`) and the reference pages are made from this table and that of the
verbs. What is not built is not listed.
"""

from reconcile.cli.options_guards import DECIDES, GUARDING, PLANS, RETURNS
from reconcile.cli.options_own import CONFIGURING, OBEYING, RESOLVING, RETURNING, STARTING, TRUSTING
from reconcile.cli.options_past import KEEPING, LOOKING_BACK
from reconcile.cli.table import COUNT, FLAG, LIST, SWITCH, VALUE, Option
from reconcile.cli.verb_table import VERBS

ALL = tuple(verb.name for verb in VERBS)
LISTS = ("manifest show", "manifest diff")
JOBS = (
    *PLANS,
    "verify",
    "explain",
    "baseline show",
    "baseline list",
    "baseline reset",
    "baseline adopt",
)
SCANS = (*PLANS, "verify", "explain", "baseline adopt", "manifest build", "manifest verify")
RULES = (*PLANS, "explain")
SHOWS = (*PLANS, "show", *RETURNS)
DRAWN = ("diff", "show", "history")
"""Verbs whose answer can be a report: `--format csv|md|html`."""
REPORTED = (*SHOWS, "history")
"""Verbs that write report files."""
_RIGHTS = "all, none, or some of create,edit,delete"

COMMON = (
    Option(
        "-c --config",
        VALUE,
        ALL,
        "Job file.",
        metavar="FILE",
        default="./reconcile.toml, then ~/.config/reconcile/config.toml",
        env="RECONCILE_CONFIG",
        face=True,
    ),
    Option("-C --directory", VALUE, ALL, "Work in DIR.", metavar="DIR", default=".", face=True),
    Option(
        "--state-dir",
        VALUE,
        ALL,
        "Where baselines, journal and versions are kept.",
        metavar="DIR",
        default="$XDG_STATE_HOME/reconcile",
        env="RECONCILE_STATE_DIR",
    ),
    Option("--json", FLAG, ALL, "JSON on stdout.", env="RECONCILE_JSON", face=True),
    Option(
        "--format",
        VALUE,
        ALL,
        "Form of the answer.",
        choices=("text", "porcelain", "json", "jsonl", "csv", "md", "html"),
        default="text",
        face=True,
    ),
    Option("-z --null", FLAG, SHOWS, "NUL ends a porcelain line.", face=True),
    Option("-q --quiet", COUNT, ALL, "Say less: -q nothing when in sync, -qq errors.", face=True),
    Option("-v --verbose", COUNT, ALL, "Say more: -v every problem, -vv tracebacks.", face=True),
    Option(
        "--color",
        VALUE,
        ALL,
        "Colours.",
        choices=("auto", "always", "never"),
        default="auto",
        env="NO_COLOR, FORCE_COLOR",
        face=True,
    ),
    Option("--ascii", FLAG, ALL, "Write -> for an arrow.", default="by locale", face=True),
    Option(
        "--progress",
        VALUE,
        (*SCANS, *DECIDES),
        "How progress is shown.",
        choices=("auto", "bar", "plain", "none"),
        default="auto",
        face=True,
    ),
    Option(
        "--progress-interval",
        VALUE,
        (*SCANS, *DECIDES),
        "Seconds between two progress lines.",
        metavar="SECONDS",
        default="1 on a terminal and in JSON, 30 else",
        face=True,
    ),
    Option(
        "-y --yes",
        FLAG,
        ("apply", *DECIDES, "baseline reset", "endpoint trust", "versions prune", "pair forget"),
        "Do not ask. Guards still stop.",
        face=True,
    ),
    Option(
        "--no-input",
        FLAG,
        ALL,
        "Never ask.",
        default="on without a terminal",
        env="RECONCILE_NO_INPUT",
        face=True,
    ),
)

DECIDING = (
    Option(
        "--mode",
        VALUE,
        (*RULES, "init"),
        "Which changes travel: both ways; or from left to right, as a mirror with deletions, as an "
        "update without.",
        choices=("two-way", "mirror", "update"),
        default="two-way",
        env="RECONCILE_MODE",
    ),
    Option("--delete", SWITCH, RULES, "Carry deletions over.", default="by mode"),
    Option(
        "--on-conflict",
        LIST,
        (*RULES, "init"),
        "Policies, tried in order: report newer older larger smaller left right keep-both merge; "
        "GLOB=POLICY for some paths.",
        metavar="[GLOB=]POLICY[,POLICY]",
        default="report",
        env="RECONCILE_ON_CONFLICT",
    ),
    Option(
        "--tie",
        VALUE,
        RULES,
        "Who wins when a policy cannot tell.",
        choices=("report", "left", "right"),
        default="report",
    ),
    Option(
        "--window",
        VALUE,
        RULES,
        "Times closer than this are equal.",
        metavar="DURATION",
        default="2s",
    ),
    Option(
        "--keep-name",
        VALUE,
        RULES,
        "Who keeps the name under keep-both.",
        choices=("left", "right"),
        default="left",
    ),
    Option(
        "--delete-vs-edit",
        VALUE,
        RULES,
        "Under left and right: an edit beats a deletion (keep), or the side wins (policy).",
        choices=("keep", "policy"),
        default="policy",
    ),
    Option(
        "--rights-left",
        VALUE,
        RULES,
        f"What may travel from left: {_RIGHTS}.",
        metavar="RIGHTS",
        default="all",
    ),
    Option(
        "--rights-right",
        VALUE,
        RULES,
        f"What may travel from right: {_RIGHTS}.",
        metavar="RIGHTS",
        default="all",
    ),
    Option("--unicode", VALUE, RULES, "How names pair.", choices=("nfc", "exact"), default="nfc"),
    Option("--fix-case", FLAG, RULES, "Rename where the sides differ only in case."),
    Option("--moves", SWITCH, RULES, "Recognise moves by content.", default="on"),
)

SEEING = (
    Option("--exclude", LIST, (*SCANS, "init"), "Leave out what GLOB matches.", metavar="GLOB"),
    Option("--include", LIST, SCANS, "Take GLOB in again.", metavar="GLOB"),
    Option("--filter-from", LIST, SCANS, "Patterns from FILE (gitignore).", metavar="FILE"),
    Option(
        "--preset", LIST, (*SCANS, "init"), "Leave out a known set: temp, hidden.", metavar="NAME"
    ),
    Option("--select", LIST, SCANS, "Only this directory.", metavar="DIR", default="all"),
    Option("--text-only", FLAG, SCANS, "Only files of text."),
    Option("--hidden", SWITCH, SCANS, "Names that begin with a dot.", default="on"),
    Option("--max-size", VALUE, SCANS, "Leave out larger files.", metavar="SIZE"),
    Option("--min-age", VALUE, SCANS, "Leave younger files for later.", metavar="DURATION"),
    Option(
        "--hash",
        VALUE,
        SCANS,
        "Content hash.",
        choices=("blake3", "sha256"),
        default="blake3",
    ),
    Option(
        "--meta",
        VALUE,
        SCANS,
        "Tracked metadata: exec (the owner's x), mode, owner, xattr, none; mtime always goes.",
        metavar="NAME[,NAME]",
        default="exec",
    ),
    Option(
        "--links",
        VALUE,
        SCANS,
        "What to do with symbolic links.",
        choices=("preserve", "portable", "skip"),
        default="preserve",
    ),
    Option("--paranoid", FLAG, SCANS, "Hash every file again."),
    Option(
        "--compress",
        FLAG,
        SCANS,
        "Compress file content on its way to and from another machine.",
        env="RECONCILE_COMPRESS",
    ),
    Option(
        "--bwlimit",
        VALUE,
        SCANS,
        "Bytes a second to and from another machine: 1M, 8Mbit, off, or a timetable like "
        "'08:00,512k 23:00,off'.",
        metavar="LIMIT",
        default="off",
        env="RECONCILE_BWLIMIT",
    ),
)

ANSWERING = (
    Option("-o --out", VALUE, ("diff", *DECIDES), "Save the plan.", metavar="FILE", face=True),
    Option("-o --out", VALUE, ("manifest build",), "Where to write it.", metavar="FILE", face=True),
    Option(
        "--expires",
        VALUE,
        ("diff", *DECIDES),
        "How long a saved plan may be applied.",
        metavar="DURATION",
        default="7d",
        face=True,
    ),
    Option(
        "--exit-code",
        FLAG,
        ("diff", "status", "manifest diff"),
        "2 when there are changes, 3 when there are conflicts.",
        face=True,
    ),
    Option(
        "--report",
        LIST,
        REPORTED,
        "Write a report too; its form by the suffix: .txt .md .csv .json .html.",
        metavar="FILE",
        face=True,
    ),
    Option(
        "--audit",
        FLAG,
        ("diff",),
        "Look only: --exit-code, and nothing is written anywhere.",
        face=True,
    ),
    Option(
        "--against",
        VALUE,
        ("diff",),
        "Compare with another baseline: #41, a run r-..., a manifest FILE.rman, none.",
        metavar="REF",
        default="the last baseline",
        face=True,
    ),
    Option("--conflicts-ok", FLAG, PLANS, "Conflicts are no failure.", face=True),
    Option(
        "--only",
        VALUE,
        SHOWS,
        "Show only: create update delete move meta conflict error.",
        metavar="CLASS[,CLASS]",
        face=True,
    ),
    Option("--summary", FLAG, (*SHOWS, *LISTS), "Only the counts.", face=True),
    Option(
        "--full",
        FLAG,
        (*SHOWS, "manifest show", "history"),
        "Every path, nothing folded.",
        face=True,
    ),
    Option("--depth", VALUE, (*SHOWS, "history"), "Fold below depth N.", metavar="N", face=True),
    Option(
        "--limit",
        VALUE,
        (*SHOWS, "manifest show", "history", "versions list"),
        "At most N lines.",
        metavar="N",
        default="200",
        face=True,
    ),
    Option(
        "--sort",
        VALUE,
        SHOWS,
        "Order of the lines.",
        choices=("path", "size", "class"),
        default="path",
        face=True,
    ),
    Option("--base", VALUE, ("manifest diff",), "Common manifest.", metavar="MANIFEST", face=True),
)

APPLYING = (
    Option(
        "-n --dry-run",
        FLAG,
        ("apply", *DECIDES, "versions prune"),
        "Only show, as `diff` does.",
        dest="only_show",
        face=True,
    ),
    Option(
        "--durability",
        VALUE,
        ("apply", *DECIDES),
        "When content is flushed to disk.",
        choices=("full", "batch", "none"),
        default="batch",
    ),
    Option("--versions", SWITCH, ("apply", *DECIDES), "Keep what is overwritten.", default="on"),
    Option(
        "--keep-versions",
        VALUE,
        ("apply",),
        "After a run that ended well keep no more of what it and earlier ones superseded: "
        "N versions of each path, or those younger than DURATION.",
        metavar="N|DURATION",
        default="all, until `versions prune`",
    ),
    Option(
        "--lock-wait",
        VALUE,
        ("apply", *DECIDES, "versions prune"),
        "Wait for another run.",
        metavar="DURATION",
        default="0s",
    ),
)

HELPING = (
    Option("-h --help", FLAG, ALL, "Show what is used most, with examples."),
    Option("--help-all", FLAG, ALL, "Show every option."),
)
"""Of every command, and read before any other: the rest of the line may be unfinished."""

OPTIONS = (
    *RESOLVING,
    *OBEYING,
    *ANSWERING,
    *DECIDING,
    *SEEING,
    *GUARDING,
    *APPLYING,
    *RETURNING,
    *LOOKING_BACK,
    *KEEPING,
    *TRUSTING,
    *STARTING,
    *CONFIGURING,
    *COMMON,
)


def options_of(verb: str) -> tuple[Option, ...]:
    """The options a verb takes, in the order of its help."""
    return tuple(option for option in OPTIONS if verb in option.verbs)
