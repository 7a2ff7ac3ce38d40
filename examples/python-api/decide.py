"""Every conflict decided by a function: merged where that is clean, else the longer text.

decide.py LEFT RIGHT
"""

import sys

from reconcile import Conflict, Pair


def main(left: str, right: str) -> int:
    """The exit code: 3 when conflicts stay."""
    pair = Pair(left, right)

    def decide(conflict: Conflict) -> str | bytes | None:
        texts = pair.texts(conflict)
        if texts.is_clean:
            return "merge"
        if isinstance(texts.left, bytes) and isinstance(texts.right, bytes):
            return max(texts.left, texts.right, key=len)
        return None

    pair.plan()
    resolved = pair.resolve(decide)
    for answer in resolved.answers:
        conflict = answer.chosen.seen
        print(f"{conflict.id} {conflict.path!r}: {answer.chosen.choice}, {answer.ending.value}")
    left_over = len(pair.conflicts())
    print(f"{resolved.done} decided, {left_over} left")
    return 3 if left_over else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
