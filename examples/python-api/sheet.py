"""An audit: what differs between two directories, as a table. Nothing else is written anywhere.

sheet.py LEFT RIGHT FILE.csv
"""

import sys
from collections import Counter

from reconcile import Pair, write_report


def main(left: str, right: str, file: str) -> int:
    """The exit code: 2 when they differ."""
    planning = Pair(left, right, mode="mirror").plan(audit=True)
    write_report(planning, file)
    counts = Counter(step.action.value for step in planning.plan.steps)
    print(", ".join(f"{count} {action}" for action, count in sorted(counts.items())) or "equal")
    return 2 if planning.plan.steps else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
