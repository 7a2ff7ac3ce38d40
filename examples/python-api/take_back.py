"""Look at a run and take it back; without a run, list those there are.

take_back.py [RUN]
"""

import sys

from reconcile import ChangedSince, history, run_detail, undo


def main(run: str = "") -> int:
    """The exit code."""
    if not run:
        for entry in history():
            print(f"{entry.id}  {entry.kind}  {entry.result}  {entry.pair.left}")
        return 0
    for step in run_detail(run).done:
        print(f"was done: {step.action.value} {step.path!r} at {step.side.value}")
    try:
        outcome = undo(run)
    except ChangedSince as error:
        print(f"{error.message}\n{error.where}")
        outcome = undo(run, skip_changed=True)
    print(f"{outcome.done} steps took it back, as run {outcome.run}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
