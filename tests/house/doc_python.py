"""The interpreter of a page's Python blocks: a block a line in, (worked, what it printed) out."""

import contextlib
import io
import sys
import traceback
from ast import literal_eval


def main() -> None:
    """Until the end of input. All blocks share their names, as at a prompt."""
    names: dict[str, object] = {"__name__": "__main__"}
    for line in sys.stdin:
        said = io.StringIO()
        worked = True
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                exec(compile(literal_eval(line), "<block>", "exec"), names)
            except BaseException:
                worked = False
                traceback.print_exc()
        print(repr((worked, said.getvalue())), flush=True)


if __name__ == "__main__":
    main()
