"""An installed agent of another version: ours is carried over; where it may not be, exit 8."""

import sys
from pathlib import Path

import pytest

from reconcile.model.errors import ExitCode
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.open import open_tree
from reconcile.trees.remote import OtherProtocol, SessionOptions
from reconcile.wire import messages as m
from tests.agent.liar import frame
from tests.peers.sshd import Sshd

_SAYS = """#!{python}
import sys
nonce = sys.argv[sys.argv.index("--nonce") + 1]
sys.stdout.buffer.write(b"reconcile-agent " + nonce.encode() + b"\\n" + {failed!r})
sys.stdout.buffer.flush()
sys.stdin.buffer.read()
"""


@pytest.mark.parametrize("kind", ["ProtocolError", "UsageError"])
def test_an_agent_of_another_version_gives_way_to_ours(
    kind: str, server: Sshd, tmp_path: Path
) -> None:
    failed = frame(m.Failed(kind, "E_PROTOCOL", "this agent speaks protocol 9, the other end 1"))
    program = tmp_path / "reconcile"
    program.write_text(_SAYS.format(python=sys.executable, failed=failed))
    program.chmod(0o755)
    with pytest.raises(OtherProtocol, match="speaks protocol 9") as caught:
        open_tree(server.url(tmp_path, agent=str(program)), SessionOptions("p"))
    assert (caught.value.code, caught.value.exit_code) == ("E_PROTOCOL", ExitCode.UNREACHABLE)
    (tmp_path / "peer").mkdir()
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
    with Sshd(tmp_path / "peer", environment=environment) as other:
        tree = open_tree(other.url(tmp_path), SessionOptions("p"))
        assert isinstance(tree, AgentTree)
        assert "carried over" in tree.about
        tree.close()
