"""Bring two directories together, show how far it is, and end as the command line would.

nightly.py LEFT RIGHT
"""

import sys

from reconcile import ExitCode, Moved, Outcome, Pair, Planned, ReconcileError


def main(left: str, right: str) -> int:
    """The exit code."""
    pair = Pair(left, right, on_conflict="keep-both", exclude=["*.tmp"])
    for event in pair.applying():
        match event:
            case Planned(plan):
                print(f"{len(plan.steps)} steps")
            case Moved():
                print(f"{event.done} of {event.total}, {event.bytes_done} bytes")
            case Outcome():
                return finished(event)
    return ExitCode.OK


def finished(outcome: Outcome) -> int:
    """Say what is left, and how that counts."""
    for ended in outcome.not_done:
        print(f"not done: {ended.step.path!r}: {ended.receipt.code} {ended.receipt.detail}")
    for conflict in outcome.conflicts:
        print(f"conflict: {conflict.path!r} ({conflict.kind})")
    print(f"{outcome.done} done, baseline #{outcome.baseline_after}")
    if outcome.not_done:
        return ExitCode.PARTIAL
    return ExitCode.CONFLICTS if outcome.conflicts else ExitCode.OK


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except ReconcileError as error:
        print(f"{error.code}: {error.message}\nchanged: {error.changed}", file=sys.stderr)
        sys.exit(error.exit_code)
