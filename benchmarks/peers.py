"""Peers over SSH: the command lines of rsync, rclone, unison and ours, towards one far host."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.far import COUNTING, DIRECT, FarHost
from benchmarks.measure import BenchmarkFailed, Command, run


class Peers:
    """Makes commands. A standing tree is one that is kept in agreement, one for each command."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.far: FarHost = bench.far

    def rsync(self, left: Path, there: Path, options: str, host: str = DIRECT) -> Command:
        """`options` as they are typed."""
        shell = self.far.remote_shell
        words = ["rsync", *options.split(), "-e", shell, f"{left}/", f"{host}:{there}/"]
        return Command(f"rsync {options}", words, meter=self.far.meter(host))

    def ours(
        self,
        left: Path,
        there: Path,
        options: str = "",
        host: str = DIRECT,
        *,
        scheme: str = "ssh",
        state: Path,
    ) -> Command:
        """A mirror of `left`; the far program is the one that is measured."""
        place = Path(self.bench.reconcile).absolute()
        agent = {"agent": str(place)} if scheme == "ssh" else {}
        url = self.far.url(there, host, scheme, **agent)
        words = ("--yes", "--mode", "mirror", *options.split())
        command = self.bench.ours("apply", left, url, *words, state=state)
        label = f"reconcile apply {options}".strip()
        return command._replace(label=label, meter=self.far.meter(host))

    def rclone(self, left: Path, there: Path, host: str = DIRECT) -> Command:
        """Over SFTP, without the `md5sum` a file that it would run there."""
        server, port, _ = self.far.routes[host]
        remote = (
            f":sftp,disable_hashcheck=true,host={server.host},port={port},user={server.user},"
            f"key_file={server.key},shell_type=unix:{there}"
        )
        work = self.bench.work
        home = (("XDG_CACHE_HOME", str(work)), ("RCLONE_CONFIG", str(work / "rclone.conf")))
        words = ["rclone", "sync", str(left), remote]
        return Command("rclone sync (sftp)", words, environment=home, meter=self.far.meter(host))

    def unison(self, left: Path, there: Path, host: str = DIRECT) -> Command:
        """Two-way; its archives are below our own directories."""
        words = ["unison", str(left), f"ssh://{host}/{there}"]
        words += ["-sshargs", f"-F {self.far.config}", "-batch", "-silent", "-times"]
        words += ["-confirmbigdel=false"]
        home = (("UNISON", str(self._unison)),)
        return Command("unison (ssh)", words, environment=home, meter=self.far.meter(host))

    def standing_rsync(self, name: str, options: str = "-a", host: str = DIRECT) -> Command:
        """rsync keeping its own far copy of the tree equal."""
        there = self.place(name, f"rsync{options}")
        if not there.exists():
            there.mkdir()
            run(self.rsync(self.bench.work / name, there, "-a"))
        return self.rsync(self.bench.work / name, there, f"{options} --delete", host)

    def standing_ours(self, name: str, options: str = "", host: str = DIRECT) -> Command:
        """reconcile keeping its own far copy of the tree equal."""
        there = self.place(name, f"ours{options}")
        state = self.bench.work / f"{there.name}-{host}-state"
        command = self.ours(self.bench.work / name, there, options, host, state=state)
        if not there.exists():
            there.mkdir()
            run(command)
        return command

    def place(self, name: str, who: str) -> Path:
        """Where a standing tree is."""
        return self.far.standing / f"{name}-{who}".replace(" ", "")

    def empty(self, state: Path) -> Callable[[], None]:
        """What is done before a first copy: a new file system, no state of anybody."""

        def before() -> None:
            self.far.fresh.renew()
            (self.far.fresh.mount / "copy").mkdir()
            for place in (state, self._unison, self.far.home):
                shutil.rmtree(place, ignore_errors=True)
            (self.far.home / "unison").mkdir(parents=True)

        return before

    def requests(self, command: Callable[[str], Command]) -> int:
        """SFTP requests of a run that finds nothing to do. 0: they cannot be counted here."""
        run(command(COUNTING))
        before = self.far.requests()
        run(command(COUNTING))
        return self.far.requests() - before

    @property
    def _unison(self) -> Path:
        return self.bench.work / "unison-ssh"


def same_content(left: Path, right: Path) -> None:
    """Raises: BenchmarkFailed, when a mirror is not one."""
    words = ["rsync", "-rlnc", "--delete", "--out-format=%n", "--exclude=/.reconcile"]
    answer = subprocess.run(
        [*words, f"{left}/", f"{right}/"], capture_output=True, text=True, check=True
    )
    if answer.stdout.strip():
        raise BenchmarkFailed(f"the mirror differs: {answer.stdout[:500]}")
