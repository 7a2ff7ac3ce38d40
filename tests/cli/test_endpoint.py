"""What people read about host keys, line by line."""

from collections.abc import Callable

import pytest

from reconcile.cli.look import Look
from reconcile.cli.render_error import error_lines
from reconcile.cli.verbs.endpoint import key_lines
from reconcile.engine.trusting import Host
from reconcile.trees.ssh.failures import explain
from reconcile.trees.ssh.hostkeys import ShownKey, Target
from reconcile.trees.ssh.known_hosts import HostKey
from reconcile.trees.ssh.place import SshPlace

Golden = Callable[[str, str], None]
TERMINAL = Look(columns=80, is_terminal=True)
PIPE = Look()
NAS = SshPlace("ssh", "nas.lan", b"/srv/photos", "backup")
FILE = "/home/me/.ssh/known_hosts"
CHANGED = f"""@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
The fingerprint for the ED25519 key sent by the remote host is\r
SHA256:9pLm3wDLrGqSJqhBdQAgWhLpzJ1FmHnHh8yKQvbBe0w.\r
Please contact your system administrator.\r
Add correct host key in {FILE} to get rid of this message.\r
Offending ED25519 key in {FILE}:14\r
Host key for nas.lan has changed and you have requested strict checking.\r
Host key verification failed.\r
"""
UNKNOWN = """No ED25519 host key is known for nas.lan and you have requested strict checking.\r
Host key verification failed.\r
"""


def pinned(file: str, number: int) -> str:
    assert (file, number) == (FILE, 14)
    return "ssh-ed25519 SHA256:Zk3vzyWuuNOYTEaXcXeBOpzcWtMTJBwZvvy1Jh6eQ1k"


@pytest.mark.parametrize(("name", "text"), [("changed", CHANGED), ("unknown", UNKNOWN)])
def test_a_host_key_that_is_refused(name: str, text: str, golden: Golden) -> None:
    error = explain(255, text, NAS, pinned=pinned)
    shown = [*error_lines(error, TERMINAL), "", *error_lines(error, PIPE)]
    golden(f"error-hostkey-{name}", "\n".join(shown) + "\n")


def test_the_keys_of_a_host(golden: Golden) -> None:
    target = Target("[nas.lan]:2222", "nas.lan", 2222, (FILE,), (), False, True)
    keys = [HostKey("ecdsa-sha2-nistp256", b"a"), HostKey("ssh-ed25519", b"b")]
    shown = [ShownKey(keys[0], "known", f"{FILE}:14"), ShownKey(keys[1], "new", "")]
    golden("endpoint-keys", "\n".join(key_lines(Host(NAS, target, shown))) + "\n")
