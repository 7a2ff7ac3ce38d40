"""A rule of our own between the plan and its application: contracts are never deleted.

approve.py LEFT RIGHT
"""

import sys

from reconcile import Action, Pair, Planning


def approve(planning: Planning) -> bool:
    """Whether the plan may be applied."""
    doomed = [
        step.path
        for step in planning.plan.steps
        if step.action is Action.DELETE and step.path.startswith(b"contracts/")
    ]
    for path in doomed:
        print(f"somebody deleted {path!r}: nothing is applied today")
    return not doomed


def main(left: str, right: str) -> int:
    """The exit code."""
    outcome = Pair(left, right).apply(approve=approve)
    print(f"{outcome.done} steps done")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
