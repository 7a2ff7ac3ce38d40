"""examples/ssh-mirror runs against a real OpenSSH server: agent, carried agent, SFTP only."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.checkout import ROOT
from tests.peers.sshd import Sshd
from tests.trees.looking import snapshot

EXAMPLE = ROOT / "examples/ssh-mirror"
TOOLS = Path(sys.executable).parent
PATH = f"{TOOLS}:/usr/bin:/bin"


class Site:
    """A copy of the example's site, an empty directory on the server, and the job's settings."""

    def __init__(self, place: Path, server: Sshd, scheme: str, agent: str) -> None:
        self.place = place
        self.agent = agent
        self.left, self.right = place / "site", place / "there"
        shutil.copytree(EXAMPLE / "site", self.left)
        self.right.mkdir()
        options = {"agent": agent} if agent else {}
        url = server.url(self.right, scheme, **options)
        self.settings = place / "mirror.env"
        self.settings.write_text(f"LEFT='{self.left}'\nRIGHT='{url}'\n", encoding="utf-8")

    def job(self, *options: str) -> str:
        """One run of the job, as the service starts it; what it said."""
        answer = subprocess.run(
            [EXAMPLE / "mirror.sh", self.settings, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": PATH,
                "HOME": str(self.place),
                "RECONCILE_STATE_DIR": str(self.place / "state"),
            },
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def is_mirrored(self) -> bool:
        """Whether both sides hold the same."""
        return snapshot(os.fsencode(self.left)) == snapshot(os.fsencode(self.right))


@pytest.fixture(params=["ssh installed", "ssh carry", "sftp -"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The site and a server, in each of the three ways."""
    scheme, way = request.param.split()
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    if way == "installed":
        environment["PATH"] = PATH
    with Sshd(tmp_path, environment=environment, internal_sftp_only=scheme == "sftp") as server:
        yield Site(tmp_path, server, scheme, "carry" if way == "carry" else "")


def test_the_job_mirrors_the_site_and_what_becomes_of_it(site: Site) -> None:
    said = site.job("--look")
    assert ("E_CARRIED_AGENT" in said) == (site.agent == "carry")
    assert not any(site.right.iterdir()), "a look writes nothing"
    site.job()
    assert site.is_mirrored()

    (site.left / "index.html").write_text("<h1>New</h1>\n", encoding="utf-8")
    (site.left / "pages/ferries.html").unlink()
    (site.left / "style.css").rename(site.left / "pages/style.css")
    site.job()
    assert site.is_mirrored()
    kept = set(snapshot(os.fsencode(site.right), ours=True).values())
    assert b"f:" + (EXAMPLE / "site/index.html").read_bytes() in kept, "the old page is kept"

    assert "In sync" in site.job()


def test_the_units_name_what_is_there() -> None:
    service = (EXAMPLE / "ssh-mirror.service").read_text(encoding="utf-8")
    named = [
        line for line in service.splitlines() if line.startswith(("ExecStart=", "Documentation="))
    ]
    for line in named:
        for word in line.replace("file:", "").partition("=")[2].split():
            assert (EXAMPLE / Path(word).name).exists(), word
    assert (EXAMPLE / "ssh-mirror.timer").exists()
    assert os.access(EXAMPLE / "mirror.sh", os.X_OK)
