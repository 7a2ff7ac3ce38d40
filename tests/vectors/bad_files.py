"""Every recipe of a bad file; run it to write the vectors that are missing.

`python -m tests.vectors.bad_files`
"""

from tests.vectors import make_reject_rules
from tests.vectors.make_reject import VECTORS_BY_NAME, main

__all__ = ["VECTORS_BY_NAME", "make_reject_rules"]

if __name__ == "__main__":
    main()
