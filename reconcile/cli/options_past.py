"""The options of `history` and `versions`, as data; `cli/options.py` has them among all."""

from reconcile.cli.table import FLAG, VALUE, Option

LOOKING_BACK = (
    Option(
        "-n --count",
        VALUE,
        ("history",),
        "At most N runs, or N lines of a path.",
        metavar="N",
        default="20",
        face=True,
    ),
    Option(
        "--since",
        VALUE,
        ("history",),
        "Only runs begun since: 2h, 7d, 2026-11-20, '2026-11-20 14:02'.",
        metavar="TIME|DURATION",
        face=True,
    ),
    Option(
        "--failed",
        FLAG,
        ("history",),
        "Only runs that left something undone.",
        face=True,
    ),
    Option(
        "--path",
        VALUE,
        ("history",),
        "One path across runs; the same as PATH after --.",
        metavar="PATH",
        face=True,
    ),
)

KEEPING = (
    Option(
        "--only",
        VALUE,
        ("versions list", "versions prune"),
        "Only versions whose path GLOB matches.",
        metavar="GLOB",
        dest="glob",
        face=True,
    ),
    Option(
        "--side",
        VALUE,
        ("versions list",),
        "Only what this side keeps.",
        choices=("left", "right"),
        default="both",
        face=True,
    ),
    Option(
        "--keep",
        VALUE,
        ("versions prune",),
        "Keep the newest N of each path of a side.",
        metavar="N",
        dest="versions_keep",
    ),
    Option(
        "--max-age",
        VALUE,
        ("versions prune",),
        "Keep none that was superseded longer ago.",
        metavar="DURATION",
        dest="versions_max_age",
    ),
    Option(
        "--max-size",
        VALUE,
        ("versions prune",),
        "Keep so many bytes of a pair in all; the oldest go first.",
        metavar="SIZE",
        dest="versions_max_size",
    ),
    Option(
        "--even-last",
        FLAG,
        ("versions prune",),
        "Also what the last run superseded: it cannot be undone then.",
        dest="even_last",
        face=True,
    ),
)
