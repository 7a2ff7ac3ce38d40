"""Options that one verb, or one family of verbs, has for itself. See `cli/options.py`."""

from reconcile.cli.table import FLAG, LIST, VALUE, Option

RESOLVING = (
    Option(
        "--keep",
        VALUE,
        ("conflicts resolve",),
        "The answer: left right both newer older base merge, or a FILE whose content both "
        "sides get. Without it, each conflict is asked about.",
        metavar="ANSWER",
        face=True,
    ),
    Option("--all", FLAG, ("conflicts resolve",), "Every conflict that stands.", face=True),
    Option(
        "--only",
        VALUE,
        ("conflicts list", "conflicts resolve"),
        "Only conflicts whose path GLOB matches.",
        metavar="GLOB",
        dest="glob",
        face=True,
    ),
)

OBEYING = (
    Option(
        "--trust-owner",
        VALUE,
        ("apply",),
        "Apply a saved plan although its file belongs to USER.",
        metavar="USER",
        default="only your own, and root's",
        face=True,
    ),
)

RETURNING = (
    Option(
        "--skip-changed",
        FLAG,
        ("undo",),
        "Leave out what has changed since, and what hangs on it.",
        face=True,
    ),
    Option(
        "--at",
        VALUE,
        ("restore",),
        "Which past: vN of `history -- PATH`, just before RUN, or a time: 2h ago, "
        "2026-11-20T18:00.",
        metavar="vN|RUN|TIME",
        default="the newest version; of a directory what it lacks",
        face=True,
    ),
    Option(
        "--side",
        VALUE,
        ("restore",),
        "Where it shall stand again: on the side that keeps the version, or on both.",
        choices=("left", "right", "both"),
        default="the side that keeps it",
        face=True,
    ),
    Option(
        "--to",
        VALUE,
        ("restore",),
        "Write the content to a new FILE instead; no side changes.",
        metavar="FILE",
        face=True,
    ),
    Option(
        "--of",
        LIST,
        ("restore",),
        "Which pair, where several know PATH: a job, or --of LEFT --of RIGHT.",
        metavar="WHAT",
        face=True,
    ),
)

TRUSTING = (
    Option(
        "--fingerprint",
        LIST,
        ("endpoint trust",),
        "Pin only a key of this fingerprint, without asking.",
        metavar="SHA256:...",
        face=True,
    ),
    Option(
        "--replace",
        FLAG,
        ("endpoint trust",),
        "Remove the host's other keys from known_hosts.",
        face=True,
    ),
)

STARTING = (
    Option("--dir", VALUE, ("man",), "Write into DIR/man1, man5, man7.", metavar="DIR", face=True),
    Option("--run", FLAG, ("demo",), "Type the commands too, one after the other.", face=True),
    Option(
        "--install", FLAG, ("completion",), "Write it where your shell looks for it.", face=True
    ),
    Option("--all", FLAG, ("doctor",), "Look at the sides of every known pair.", face=True),
    Option(
        "--probe",
        FLAG,
        ("doctor",),
        "Try in `.reconcile/` of each local side what it can hold; nothing of it stays.",
        face=True,
    ),
)

CONFIGURING = (
    Option(
        "--non-interactive", FLAG, ("init",), "Do not ask: SIDES and options say it.", face=True
    ),
    Option(
        "--name",
        VALUE,
        ("init",),
        "Name of the job.",
        metavar="NAME",
        default="after the left side",
        face=True,
    ),
    Option("--connect", FLAG, ("config check",), "Reach both sides of every job.", face=True),
    Option("--origin", FLAG, ("config show",), "Say where each value stands.", face=True),
)
