"""A far side that is this very machine, in or around the other side: no run starts."""

from pathlib import Path

import pytest

from reconcile import Pair
from reconcile.model.errors import UsageError
from tests.peers.sshd import Sshd


@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
@pytest.mark.parametrize(("here", "there"), [("t/in", "t"), ("t", "t/in")])
def test_a_tree_is_not_kept_in_agreement_with_a_part_of_itself_over_ssh(
    scheme: str, here: str, there: str, server: Sshd, tmp_path: Path
) -> None:
    (tmp_path / "t/in").mkdir(parents=True)
    (tmp_path / "t/in/f").write_text("x")
    (tmp_path / "t/g").write_text("y")
    pair = Pair(tmp_path / here, server.url(tmp_path / there, scheme), state_dir=tmp_path / "state")
    with pytest.raises(UsageError, match="inside the other"):
        pair.apply()
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("t/**/*"))
    names = [name for name in names if ".reconcile" not in name]
    assert names == ["t/g", "t/in", "t/in/f"]
