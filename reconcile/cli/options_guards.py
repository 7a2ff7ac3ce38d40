"""The options about guards, as data; `cli/options.py` has them among all."""

from reconcile.cli.table import LIST, VALUE, Option

PLANS = ("diff", "apply")
RETURNS = ("undo", "restore")
DECIDES = ("conflicts resolve", *RETURNS)
"""Verbs that apply a plan of their own to a pair as it was last asked about."""
ALLOWED = ("space", "empty-side", "root-changed", "went-back", "state-corrupt")
"""Guards that a line may let pass; undo and restore know the first three."""
_ALLOWS = (
    "Let a guard pass, once. space: what comes fits, by holes or clones; "
    "empty-side: a side may be empty; root-changed: another root is right"
)

GUARDING = (
    Option("--require", LIST, PLANS, "PATH must exist on both sides.", metavar="PATH"),
    Option(
        "--max-delete",
        VALUE,
        (*PLANS, *DECIDES),
        "Guard: deletions on a side.",
        metavar="N|P%",
        default="25%, from 10 deletions on",
        env="RECONCILE_MAX_DELETE",
    ),
    Option("--max-delete-size", VALUE, (*PLANS, *DECIDES), "Guard: bytes deleted.", metavar="SIZE"),
    Option(
        "--max-change", VALUE, (*PLANS, *DECIDES), "Guard: share of files changed.", metavar="P%"
    ),
    Option(
        "--allow",
        LIST,
        PLANS,
        f"{_ALLOWS}; went-back: older content at a side is right; state-corrupt: a "
        "baseline that cannot be read counts as none.",
        choices=ALLOWED,
    ),
    Option("--allow", LIST, DECIDES, f"{_ALLOWS}.", choices=ALLOWED[:3]),
)
