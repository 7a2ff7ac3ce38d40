"""Every verb, as data. `cli/options.py` says which options each takes.

What is not built is not listed.
"""

from reconcile.cli.table import Verb, Word

_WHERE = "a directory, file://, ssh://[user@]host/path or host:path."
LEFT = Word("LEFT", 1, 1, f"Left side: {_WHERE}")
RIGHT = Word("RIGHT", 1, 1, f"Right side: {_WHERE}")
PAIR = (LEFT, RIGHT)
_WAYS = "JOB | LEFT RIGHT"
WHAT = Word("WHAT", 0, 2, "A job, or LEFT and RIGHT; nothing: the only job there is.", _WAYS)
EVERY = Word("WHAT", 0, 2, "A job, or LEFT and RIGHT; nothing: every pair known here.", _WAYS)

VERBS = (
    Verb(
        "diff",
        (WHAT,),
        "Compare two sides with what they last agreed on and print the plan.",
        examples=(
            "reconcile diff ~/photos /mnt/backup/photos",
            "reconcile diff photos --mode mirror -o today.rplan",
        ),
        aliases=("plan",),
        streams=True,
    ),
    Verb(
        "apply",
        (
            Word(
                "WHAT",
                0,
                3,
                "A job, LEFT and RIGHT, or a saved plan (and its job, or LEFT and RIGHT, where "
                "only the plan says them); nothing: the only job.",
                f"PLAN | {_WAYS}",
            ),
        ),
        "Do what `diff` shows: ask, then make both sides agree.",
        examples=("reconcile apply ~/photos /mnt/backup/photos", "reconcile apply today.rplan"),
        streams=True,
    ),
    Verb(
        "show",
        (Word("PLAN", 1, 1, "A saved plan (.rplan)."),),
        "Print a saved plan; neither side is needed.",
        examples=("reconcile show today.rplan", "reconcile show today.rplan --json"),
    ),
    Verb(
        "status",
        (Word("JOB", 0, 0, "Only these jobs; all jobs and pairs when left out."),),
        "List every job and pair, its state, and the next command to type.",
        examples=("reconcile status", "reconcile status photos --exit-code"),
    ),
    Verb(
        "conflicts list",
        (WHAT,),
        "List the conflicts that stand, as `diff` and `apply` saw them last.",
        examples=("reconcile conflicts", "reconcile conflicts list A B --only 'notes/**'"),
        aliases=("conflicts",),
    ),
    Verb(
        "conflicts show",
        (
            Word(
                "ID",
                1,
                3,
                "A conflict's id, or its beginning; then its pair, if need be.",
                f"ID [{_WAYS}]",
            ),
        ),
        "Show one conflict: base, left and right, and for texts their lines side by side.",
        examples=("reconcile conflicts show c-7k2pq", "reconcile conflicts show c-7k2 --json"),
    ),
    Verb(
        "conflicts resolve",
        (Word("ID", 0, 10_000, "Conflicts' ids; a pair stands for all of its own."),),
        "Decide conflicts: one by one at a terminal, or all alike with --keep.",
        examples=(
            "reconcile conflicts resolve",
            "reconcile conflicts resolve --all --keep newer --only 'notes/**'",
        ),
        streams=True,
    ),
    Verb(
        "history",
        (
            Word(
                "WHAT",
                0,
                3,
                "A run (r-..., or `last`) for every step of it; a job, or LEFT and RIGHT; "
                "after -- one path. Nothing: the runs of every pair.",
                f"RUN | {_WAYS} | -- PATH",
            ),
        ),
        "List past runs; show one run, or what became of one path.",
        examples=(
            "reconcile history --since 7d --failed",
            "reconcile history r-19c2a --report run.html",
            "reconcile history -- notes/todo.txt",
        ),
        aliases=("log",),
    ),
    Verb(
        "versions list",
        (EVERY,),
        "List the superseded content that is kept, newest first.",
        examples=("reconcile versions list", "reconcile versions list A B --only '*.jpg'"),
        aliases=("versions",),
    ),
    Verb(
        "versions prune",
        (EVERY,),
        "Remove superseded content for good: what is more, older or larger than you say.",
        examples=(
            "reconcile versions prune A B --keep 5 --dry-run",
            "reconcile versions prune --max-age 90d --max-size 20G --yes",
        ),
    ),
    Verb(
        "verify",
        (WHAT,),
        "Read and hash both sides again; compare them with each other and the baseline.",
        examples=("reconcile verify A B", "reconcile verify photos --json"),
        streams=True,
    ),
    Verb(
        "explain",
        (Word("PATH", 1, 1, "A path below the roots."), WHAT),
        "Say why PATH is, or is not, in the plan.",
        examples=("reconcile explain notes/todo.txt A B", "reconcile explain x.tmp photos --json"),
    ),
    Verb(
        "undo",
        (
            Word(
                "WHAT",
                0,
                2,
                "A job, or LEFT and RIGHT: its newest run that is not undone; or a run (r-...). "
                "Nothing: of the only pair there is.",
                f"RUN | {_WAYS}",
            ),
        ),
        "Take a run back: every path it changed, and what was agreed on, as before.",
        examples=("reconcile undo ~/photos /mnt/backup/photos", "reconcile undo r-1ff34bc3018"),
        streams=True,
    ),
    Verb(
        "restore",
        (Word("PATH", 1, 0, "A file or directory below the roots, or its full path."),),
        "Bring back a kept version of PATH, or a directory as it was.",
        examples=(
            "reconcile restore notes/todo.txt --at v2",
            "reconcile restore photos --at 2h --side left",
            "reconcile restore notes/todo.txt --at r-1ff3 --to /tmp/old.txt",
        ),
        streams=True,
    ),
    Verb(
        "manifest build",
        (Word("ENDPOINT", 1, 1, "The directory to list."),),
        "Hash a directory and write its manifest (.rman).",
        examples=(
            "reconcile manifest build ~/photos -o photos.rman",
            "reconcile manifest build . -o m.rman --exclude '*.tmp'",
        ),
        streams=True,
    ),
    Verb(
        "manifest show",
        (Word("MANIFEST", 1, 1, "A manifest file (.rman)."),),
        "List what a manifest holds.",
        examples=("reconcile manifest show photos.rman", "reconcile manifest show m.rman --json"),
    ),
    Verb(
        "manifest verify",
        (
            Word("MANIFEST", 1, 1, "A manifest file (.rman)."),
            Word("ENDPOINT", 0, 1, "A directory that should hold just that."),
        ),
        "Check a manifest file, or a directory against it.",
        examples=(
            "reconcile manifest verify photos.rman",
            "reconcile manifest verify photos.rman ~/photos",
        ),
    ),
    Verb(
        "manifest diff",
        (Word("LEFT", 1, 1, "A manifest (.rman)."), Word("RIGHT", 1, 1, "A manifest (.rman).")),
        "Compare two manifests offline; with --base, three ways.",
        examples=(
            "reconcile manifest diff monday.rman friday.rman",
            "reconcile manifest diff a.rman b.rman --base common.rman",
        ),
    ),
    Verb(
        "baseline show",
        (WHAT,),
        "Show what the two sides last agreed on.",
        examples=("reconcile baseline show A B", "reconcile baseline show photos --json"),
    ),
    Verb(
        "baseline list",
        (WHAT,),
        "List the baselines of a pair, newest first.",
        examples=("reconcile baseline list A B", "reconcile baseline list A B --json"),
    ),
    Verb(
        "baseline reset",
        (WHAT,),
        "Forget what was agreed on: the next run is a first run, and takes nothing for deleted.",
        examples=("reconcile baseline reset A B", "reconcile baseline reset A B --yes"),
    ),
    Verb(
        "baseline adopt",
        (WHAT,),
        "Take everything that is equal now as agreed on; neither side changes.",
        examples=("reconcile baseline adopt A B", "reconcile baseline adopt A B --json"),
    ),
    Verb(
        "pair list",
        (),
        "List every pair that the state knows.",
        examples=("reconcile pair list", "reconcile pair list --json"),
        aliases=("pair",),
    ),
    Verb(
        "pair forget",
        (
            Word(
                "WHAT",
                1,
                2,
                "A job, LEFT and RIGHT, or an id that `pair list` shows.",
                f"ID | {_WAYS}",
            ),
        ),
        "Forget a pair: what was agreed on and its history; no file is touched.",
        examples=("reconcile pair forget A B", "reconcile pair forget photos --yes"),
    ),
    Verb(
        "pair move",
        (
            Word("OLD", 1, 1, "A root as it was."),
            Word("NEW", 1, 1, "Where that root is now."),
        ),
        "Follow a root that was moved: its pairs go on from what was agreed on.",
        examples=(
            "reconcile pair move /mnt/old/photos /mnt/new/photos",
            "reconcile pair move nas:photos nas2:photos",
        ),
    ),
    Verb(
        "endpoint trust",
        (Word("HOST", 1, 1, "A host: [user@]host[:port] or an ssh:// URL."),),
        "Show the SSH keys of a host and, when you agree, pin them in known_hosts.",
        examples=(
            "reconcile endpoint trust nas.lan",
            "reconcile endpoint trust nas.lan --fingerprint SHA256:Zk3v... --replace",
        ),
    ),
    Verb(
        "demo",
        (Word("DIR", 0, 1, "A new directory for the example; reconcile-demo when left out."),),
        "Make an example with changes and conflicts, and say what to type in it.",
        examples=("reconcile demo", "reconcile demo ~/tryout --run"),
    ),
    Verb(
        "doctor",
        (Word("WHAT", 0, 2, "A job, or LEFT and RIGHT: look at these two sides too.", _WAYS),),
        "Look at this machine, the state and the sides; say what would mend them.",
        examples=("reconcile doctor", "reconcile doctor ~/photos nas.lan:photos --json"),
        streams=True,
    ),
    Verb(
        "completion",
        (Word("SHELL", 1, 1, "bash, zsh or fish."),),
        "Print the script that completes commands in a shell, or install it.",
        examples=("reconcile completion bash --install", "reconcile completion zsh"),
    ),
    Verb(
        "man",
        (Word("PAGE", 0, 2, "A page: a command, or what `reconcile man` lists."),),
        "Show a man page, or write all of them with --dir.",
        examples=("reconcile man diff", "reconcile man --dir ~/.local/share/man"),
    ),
    Verb(
        "help",
        (
            Word(
                "TOPIC",
                0,
                2,
                "A command, an error code (E_...), or a topic.",
                "COMMAND | E_... | TOPIC",
            ),
        ),
        "Explain a command, an error code or a topic; needs no network.",
        examples=("reconcile help", "reconcile help E_HOSTKEY_CHANGED", "reconcile help filters"),
    ),
    Verb(
        "init",
        (Word("SIDES", 0, 2, "LEFT and RIGHT; asked for when left out.", "LEFT RIGHT"),),
        "Ask, then write a commented job file; an existing one is never changed.",
        examples=(
            "reconcile init",
            "reconcile init --non-interactive ~/photos nas.lan:photos --name photos",
        ),
    ),
    Verb(
        "config check",
        (),
        "Say everything that is wrong with the job file, each with its line.",
        examples=("reconcile config check", "reconcile config check --connect"),
    ),
    Verb(
        "config show",
        (Word("JOB", 0, 0, "Only these jobs."),),
        "Show what the job file and the environment say, key by key.",
        examples=("reconcile config show", "reconcile config show photos --origin"),
    ),
    Verb(
        "config path",
        (),
        "List where a job file is looked for, and which one is used.",
        examples=("reconcile config path", "reconcile config path --json"),
    ),
    Verb(
        "config schema",
        (),
        "Print the JSON Schema of a job file, for editors.",
        examples=("reconcile config schema", "reconcile config schema > job-file.json"),
    ),
    Verb(
        "version",
        (),
        "Print the version.",
        examples=("reconcile version", "reconcile version --json"),
    ),
)


def verb_named(name: str) -> Verb | None:
    """The verb of this name or alias."""
    for verb in VERBS:
        if name == verb.name or name in verb.aliases:
            return verb
    return None
