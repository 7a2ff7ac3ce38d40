"""The manual: which pages there are, and the section of an error code. Offline, from the package.

`manual` beside this file is the folder `docs` of the checkout.
"""

import os
import re
from collections.abc import Sequence

from reconcile.cli.markdown import Block, Heading, blocks_of, plain, section

TOPICS = {
    "exit-codes": ("exit-codes.md", "Exit codes and error codes."),
    "plans": ("plans.md", "Make, read, apply, go on."),
    "policies": ("policies.md", "Conflicts, modes, rights."),
    "filters": ("filters.md", "Which files take part."),
    "job-file": ("job-file.md", "reconcile.toml, key by key."),
    "state": ("state.md", "Memory, versions, recovery."),
    "ssh": ("ssh.md", "Sides on other machines."),
    "durability": ("durability.md", "What survives a power cut."),
    "coming-from": ("how-to/coming-from.md", "Words of rsync, rclone, Unison, Terraform, restic."),
    "semantics": ("semantics.md", "What a run decides."),
}
"""Name -> (page, one line about it)."""
ERRORS = "errors.md"

_CODE = re.compile(r"E_[A-Z][A-Z0-9_]+")


def read_page(name: str) -> str:
    """A page's Markdown."""
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "manual", name)
    with open(place, encoding="utf-8") as file:
        return file.read()


def topic_blocks(topic: str) -> Sequence[Block]:
    """A topic's page."""
    return blocks_of(read_page(TOPICS[topic][0]))


def error_codes() -> Sequence[str]:
    """Every code that has a section, in the order of the page."""
    headings = (b for b in blocks_of(read_page(ERRORS)) if isinstance(b, Heading))
    return tuple(plain(h.text) for h in headings if _CODE.fullmatch(plain(h.text)))


def error_blocks(code: str) -> Sequence[Block]:
    """The section of an error code; empty when it has none."""
    return section(blocks_of(read_page(ERRORS)), code)


def error_code(word: str) -> str:
    """`word` as a code is written: `hostkey-changed` is `E_HOSTKEY_CHANGED`."""
    code = word.upper().replace("-", "_")
    return code if code.startswith("E_") else f"E_{code}"
