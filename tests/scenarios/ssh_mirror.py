"""One first mirror to a real OpenSSH server, through a line that can be cut or held.

Left is the truth. Right begins with older versions of two files, whose contents
must still be somewhere there at the end, whatever happened on the way.
"""

import os
import random
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.peers.proxy import Proxy
from tests.peers.sshd import Sshd
from tests.trees.looking import all_contents, snapshot

RECONCILE = Path(sys.executable).with_name("reconcile")
MIB = 1 << 20
SMALL = 200
BIG = {"big.bin": 24 * MIB, "medium/a.bin": 2 * MIB, "medium/b.bin": 5 * MIB + 17}
OLD = {"medium/b.bin": 100_000, "small/007": 300}
"""What right holds at first, and how much of it."""
ENDS_S = 30


class SshMirror:
    """The trees, the server and the line; `agent` as `?agent=` takes it."""

    def __init__(self, place: Path, server: Sshd, proxy: Proxy, agent: str = "") -> None:
        self.place = place
        self.server = server
        self.proxy = proxy
        self.left, self.right = place / "left", place / "right"
        self.state, self.cache = place / "state", place / "cache"
        chance = random.Random("ssh-mirror")
        self._old = {name: chance.randbytes(size) for name, size in OLD.items()}
        _fill(self.left, {name: chance.randbytes(size) for name, size in BIG.items()})
        _fill(
            self.left,
            {f"small/{n:03}": chance.randbytes(chance.randrange(6000)) for n in range(SMALL)},
        )
        self.truth = snapshot(os.fsencode(self.left))
        self._url = server.url(
            self.right, config=str(self._config()), agent=agent or str(RECONCILE)
        )
        self._url = self._url.replace(f":{server.port}/", f":{proxy.port}/", 1)
        self.reset()

    def reset(self) -> None:
        """Both sides as before the first run; nothing is known of them."""
        for place in (self.right, self.state, self.cache):
            shutil.rmtree(place, ignore_errors=True)
        _fill(self.right, self._old)

    def start(self) -> subprocess.Popen[str]:
        """A run, under way."""
        return subprocess.Popen(
            [RECONCILE, "apply", self.left, self._url, "--yes", "--mode", "mirror", "--summary"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "RECONCILE_STATE_DIR": str(self.state)},
        )

    def run(self) -> tuple[int, str, int, int]:
        """A run up to its end: its exit code, what it said, the bytes up and down."""
        before = self.proxy.counts()
        with self.start() as process:
            said, _ = process.communicate()
        after = self.proxy.counts()
        up, down = after.up_bytes - before.up_bytes, after.down_bytes - before.down_bytes
        return process.returncode, said, up, down

    def agents(self) -> list[int]:
        """The far programs that serve this mirror."""
        return [pid for pid in _with_environment(self.cache) if b"remote" in _words(pid)]

    def wait_for_the_far_end(self) -> None:
        """Until no far program is left."""
        for pid in self.agents():
            try:
                ended = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            assert select.select([ended], [], [], ENDS_S)[0], f"the far program {pid} stays"
            os.close(ended)

    def kill_the_agent(self) -> None:
        """SIGKILL for the far program."""
        agents = self.agents()
        assert agents
        for pid in agents:
            os.kill(pid, signal.SIGKILL)

    def torn(self) -> set[bytes]:
        """Files under their final names on right which hold neither the old nor the new content."""
        old = {os.fsencode(name): b"f:" + content for name, content in self._old.items()}
        now = snapshot(os.fsencode(self.right))
        return {
            path for path, thing in now.items() if thing not in (self.truth[path], old.get(path))
        }

    def lost(self) -> set[bytes]:
        """Contents that were on right at first and are nowhere there any more."""
        there = all_contents(os.fsencode(self.right))
        return set(self._old.values()) - there

    def check_end(self) -> None:
        """Equal sides, left as it was, nothing lost."""
        assert snapshot(os.fsencode(self.right)) == self.truth
        assert snapshot(os.fsencode(self.left)) == self.truth
        assert self.lost() == set()

    def _config(self) -> Path:
        kind, blob = self.server.host_key_line.split()[1:3]
        known, config = self.place / "known_hosts", self.place / "ssh_config"
        known.write_text(f"mirror {kind} {blob}\n", encoding="ascii")
        config.write_text(
            f"Host *\n  HostKeyAlias mirror\n  User {self.server.user}\n"
            f"  IdentityFile {self.server.key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {known}\n  GlobalKnownHostsFile /dev/null\n",
            encoding="utf-8",
        )
        return config


def _fill(top: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content)


def _with_environment(cache: Path) -> list[int]:
    wanted = b"XDG_CACHE_HOME=" + os.fsencode(cache)
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in pids if wanted in _read(pid, "environ").split(b"\0")]


def _words(pid: int) -> list[bytes]:
    return _read(pid, "cmdline").split(b"\0")


def _read(pid: int, name: str) -> bytes:
    try:
        return Path("/proc", str(pid), name).read_bytes()
    except OSError:
        return b""
