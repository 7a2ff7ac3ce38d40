"""A root that moved proves itself by what it holds; an unmounted one cannot."""

import pytest

from reconcile.decide.evidence import held_share
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import TreeManifest, build
from reconcile.model.treepath import TreePath


def tree(**files: str) -> TreeManifest:
    things: dict[TreePath, Entry] = {}
    for name, content in files.items():
        path = name.replace("__", "/").encode()
        for end in range(len(path)):
            if path[end : end + 1] == b"/":
                things[TreePath(path[:end])] = Entry(b"", Kind.DIR)
        things[TreePath(path)] = Entry(b"", Kind.FILE, 1, id=content.encode().ljust(32))
    return build(things)


BASE = tree(a="1", d__b="2", d__c="3", e__f="4")


@pytest.mark.parametrize(
    ("side", "share"),
    [
        pytest.param(BASE, 1.0, id="the same tree"),
        pytest.param(tree(), 0.0, id="an empty mount point"),
        pytest.param(tree(a="9", d__b="9", d__c="9", e__f="9"), 0.0, id="another disk"),
        pytest.param(tree(a="1", d__b="2", d__c="9", new="5"), 0.5, id="one edited, one gone"),
        pytest.param(tree(a="1", d="9", e__f="4"), 0.5, id="a directory became a file"),
    ],
)
def test_the_share_is_of_what_the_baseline_knows(side: TreeManifest, share: float) -> None:
    assert held_share(BASE, side) == share


def test_an_empty_baseline_is_held_by_anything() -> None:
    assert held_share(tree(), tree(a="1")) == 1.0
