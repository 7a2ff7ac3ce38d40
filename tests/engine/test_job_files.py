"""Job files on the disk: which one counts, whose it may be, and what it includes."""

import os
import shutil
from pathlib import Path

import pytest

from reconcile.engine import job_places
from reconcile.engine.job_files import load, read
from reconcile.engine.job_places import Found, find, places
from reconcile.engine.jobs import alias, settled_job, side_of, url_of
from reconcile.model.errors import ConfigError, NotFound, SecretInUrl, UsageError
from reconcile.model.job import Job

HEAD = "version = 1\n"
PAIR = "[job.a]\nleft = 'l'\nright = 'r'\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, a home and a machine of our own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    monkeypatch.setattr(job_places, "SYSTEM", str(tmp_path / "etc"))
    return tmp_path


def write(place: Path, text: str) -> str:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    place.chmod(0o644)
    return str(place)


def loaded(text: str, name: str = "reconcile.toml") -> Found:
    write(Path(name), text)
    return Found(name, "--config")


def faults(found: Found) -> list[str]:
    return [str(fault) for fault in read(found).faults]


def test_the_nearest_place_counts(here: Path) -> None:
    xdg = {"XDG_CONFIG_HOME": str(here / "xdg")}
    assert find("", xdg) is None
    machine = write(here / "etc/config.toml", HEAD)
    assert find("", xdg) == (machine, job_places.MACHINE)
    own = write(here / "xdg/reconcile/config.toml", HEAD)
    assert find("", xdg) == (own, job_places.OWN)
    assert find("", {"XDG_CONFIG_HOME": "not/absolute"}) == (machine, job_places.MACHINE)
    write(here / "reconcile.toml", HEAD)
    assert find("", xdg) == ("reconcile.toml", job_places.HERE)
    named = write(here / "other.toml", HEAD)
    assert find("", {**xdg, "RECONCILE_CONFIG": named}) == (named, "RECONCILE_CONFIG")
    assert find("reconcile.toml", {"RECONCILE_CONFIG": named}) == ("reconcile.toml", "--config")
    assert places("~/x.toml", {})[0].location == str(here / "own/x.toml")


def test_the_user_s_own_is_under_the_home(here: Path) -> None:
    own = write(here / "own/.config/reconcile/config.toml", HEAD)
    assert find("", {}) == (own, job_places.OWN)


def test_a_named_file_that_is_not_there_is_an_error(here: Path) -> None:
    write(here / "reconcile.toml", HEAD)
    with pytest.raises(ConfigError, match=r"there is no job file `x\.toml`"):
        find("x.toml", {})
    with pytest.raises(ConfigError, match=r"there is no job file `y\.toml`"):
        find("", {"RECONCILE_CONFIG": "y.toml"})


def test_the_machine_s_jobs_count_without_a_file_of_its_own(here: Path) -> None:
    write(here / "etc/jobs.d/b.toml", "[job.b]\nleft='/l'\nright='/r'\n")
    write(here / "etc/jobs.d/a.toml", "[job.a]\nleft='/l'\nright='/r'\n")
    write(here / "etc/jobs.d/a.toml~", "not toml")
    found = find("", {})
    assert found is not None
    assert list(load(found).book.jobs) == ["a", "b"]
    write(here / "etc/config.toml", f"{HEAD}[job.c]\nleft='/l'\nright='/r'\n")
    assert list(load(found).book.jobs) == ["a", "b", "c"]


def test_includes_are_read_in_order_each_once(here: Path) -> None:
    for name in ("b", "a"):
        write(here / f"jobs/{name}.toml", f"[job.{name}]\nleft='l'\nright='r'\n")
    found = loaded(f"{HEAD}include = ['jobs/b.toml', 'jobs/*.toml', 'none/*.toml']\n")
    book = load(found).book
    assert book.files == ("jobs/b.toml", "jobs/a.toml", "reconcile.toml")
    assert side_of(book, book.jobs["a"], "left") == str(here / "jobs/l")


def test_an_included_file_that_is_not_there_is_told(here: Path) -> None:
    found = loaded(f"{HEAD}include = ['x.toml']\n")
    assert faults(found) == ["reconcile.toml:2:12: there is no file `x.toml` to include"]


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [(0o666, "can be written by everybody (mode 0666)"), (0o602, "can be written by everybody")],
)
def test_a_file_that_everybody_may_write_is_not_obeyed(
    here: Path, mode: int, sentence: str
) -> None:
    found = loaded(HEAD)
    os.chmod(found.location, mode)
    with pytest.raises(ConfigError) as caught:
        load(found)
    assert sentence in caught.value.message
    assert (caught.value.code, caught.value.exit_code) == ("E_CONFIG_PERMS", 78)


def test_a_file_that_our_group_may_write_is_obeyed_with_a_warning(here: Path) -> None:
    found = loaded(f"{HEAD}{PAIR}")
    os.chmod(found.location, 0o664)
    assert load(found).warnings == (
        "`reconcile.toml` can be written by its group (mode 0664): chmod g-w reconcile.toml",
    )


@pytest.mark.parametrize("extra", ["config = 'ssh_config'\n", "agent = '/opt/x'\n"])
def test_what_can_name_a_program_is_not_taken_from_a_file_that_our_group_may_write(
    here: Path, extra: str
) -> None:
    found = loaded(f"{HEAD}[endpoint.e]\nurl = 'ssh://h/x'\n{extra}")
    assert faults(found) == []
    os.chmod(found.location, 0o664)
    with pytest.raises(ConfigError) as caught:
        load(found)
    assert caught.value.code == "E_CONFIG_PERMS"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_stranger_s_file_is_not_obeyed_nor_a_stranger_s_link_to_ours(here: Path) -> None:
    found = loaded(HEAD)
    os.chown(found.location, 4242, -1)
    with pytest.raises(ConfigError, match="belongs to user 4242"):
        load(found)
    os.chown(found.location, 0, -1)
    os.symlink(found.location, "link.toml")
    assert load(Found("link.toml", "--config")).book.files == ("link.toml",)
    os.chown("link.toml", 4242, -1, follow_symlinks=False)
    with pytest.raises(ConfigError, match="belongs to user 4242"):
        load(Found("link.toml", "--config"))


def test_what_is_no_file_is_no_job_file(here: Path) -> None:
    os.mkdir("d")
    os.mkfifo("p")
    os.symlink("nowhere", "dangling")
    Path("big.toml").write_bytes(b"#" * (1 << 20) + b"\n")
    for name, sentence in (
        ("d", "not a regular file"),
        ("p", "not a regular file"),
        ("dangling", "cannot be read: No such file"),
        ("big.toml", "larger than 1,048,576 bytes"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            load(Found(name, "--config"))


ENDPOINTS = f"""{HEAD}
[endpoint.here]
url = "data"
[endpoint.nas]
url = "ssh://me@nas/srv/photos"
identity = "keys/id"
jump = "gate"
[endpoint.scp]
url = "nas:photos"
"""
ALIASES = [
    ("@here", "{here}/data"),
    ("@here/a/b", "{here}/data/a/b"),
    ("@here/", "{here}/data"),
    ("@nas", "ssh://me@nas/srv/photos?identity={here}/keys/id&jump=gate"),
    ("@nas/2026/a b", "ssh://me@nas/srv/photos/2026/a%20b?identity={here}/keys/id&jump=gate"),
    ("@scp/x", "ssh://nas/~/photos/x"),
]


@pytest.mark.parametrize(("text", "where"), ALIASES)
def test_an_alias_is_an_endpoint_and_may_go_on_below_it(here: Path, text: str, where: str) -> None:
    book = load(loaded(ENDPOINTS)).book
    assert alias(book, text) == where.format(here=here)


@pytest.mark.parametrize("text", ["@here/../x", "@here/a//b", "@here/./a", "@nas/a/.."])
def test_an_alias_leads_nowhere_else(here: Path, text: str) -> None:
    with pytest.raises(UsageError):
        alias(load(loaded(ENDPOINTS)).book, text)


def test_an_alias_nobody_knows_names_those_there_are(here: Path) -> None:
    with pytest.raises(NotFound) as caught:
        alias(load(loaded(ENDPOINTS)).book, "@naz/x")
    assert caught.value.message == "there is no `[endpoint.naz]` in reconcile.toml"
    assert caught.value.hint == "did you mean `@nas`?"


URLS = [
    ("url = 'ssh://me:geheim@h/x'", "a password stands in ssh://me:•••@h"),
    ("url = 'gopher://h/x'", "`gopher://` is not spoken by this version"),
    ("url = ''", "an endpoint is empty"),
    ('url = "a\\u0000"', "an endpoint holds a NUL"),
    ("url = 'file:///a%00b'", "an endpoint holds a NUL"),
    ("url = '/x'\nidentity = 'k'", "`identity` is for a place on another machine"),
    ("url = 'ssh://h/x?jump=a'\njump = 'b'", "option `jump` of the ssh:// URL stands twice"),
    ("url = 'ssh://h/x'\nagent = 'x'", "agent='x' is unknown"),
]


@pytest.mark.parametrize(("lines", "sentence"), URLS)
def test_what_is_wrong_with_an_endpoint_is_told_with_its_line(
    here: Path, lines: str, sentence: str
) -> None:
    found = loaded(f"{HEAD}[endpoint.e]\n{lines}\n[job.a]\nleft = '@e'\nright = 'r'\n")
    (told,) = faults(found)
    assert told.startswith(f"reconcile.toml:3:1: `url`: {sentence}")
    assert "geheim" not in told


def test_a_side_that_names_no_endpoint_is_told_with_its_line(here: Path) -> None:
    found = loaded(f"{HEAD}[job.a]\nleft = 'l'\nright = '@nsa'\n[endpoint.nas]\nurl = '/x'\n")
    assert faults(found) == [
        (
            "reconcile.toml:4:1: `right`: there is no `[endpoint.nsa]` in reconcile.toml; "
            "did you mean `@nas`?"
        )
    ]


def test_several_faults_are_one_error(here: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(loaded("x = 1\n[job.a]\nleft = 'l'\n"))
    assert caught.value.message == "3 errors in reconcile.toml"
    assert [line[:18] for line in caught.value.where.split("\n")] == [
        "reconcile.toml:1:1", "reconcile.toml:1:1", "reconcile.toml:2:1",
    ]  # fmt: skip


def job(env: dict[str, str], text: str = f"{HEAD}{PAIR}") -> Job:
    book = load(loaded(text, "sub/x.toml")).book
    return settled_job(book, book.jobs["a"], {}, env, "/state", lambda name: b"")


def test_a_path_begins_beside_its_file_and_a_variable_s_in_the_working_directory(
    here: Path,
) -> None:
    assert job({}).left == str(here / "sub/l")
    own = job({"RECONCILE_JOB__A__LEFT": "z", "RECONCILE_JOB__A__LABELS_LEFT": "zed"})
    assert (own.left, own.right, own.label_left) == (str(here / "z"), str(here / "sub/r"), "zed")


@pytest.mark.parametrize(
    ("written", "where"),
    [("/x/../y", "/y"), ("~/y", "{here}/own/y"), ("host:y", "ssh://host/~/y"),
     ("./host:y", "{here}/sub/host:y"), ("ssh://h/y", "ssh://h/y"), ("file:///y", "/y"),
     ("..", "{here}")],
)  # fmt: skip
def test_what_is_no_relative_path_stays_what_it_is(here: Path, written: str, where: str) -> None:
    text = f"{HEAD}[job.a]\nleft = '{written}'\nright = 'r'\n"
    assert job({}, text).left == where.format(here=here)


def test_a_job_knows_its_name_and_where_it_stands(here: Path) -> None:
    settled = job({})
    assert (settled.name, dict(settled.origins)["job"]) == ("a", "sub/x.toml:2")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("RECONCILE_JOB__A__BWLIMT", ("`RECONCILE_JOB__A__BWLIMT` names no key of job `a`; did you "
            "mean `RECONCILE_JOB__A__BWLIMIT`?")),
        ("RECONCILE_JOB__B__MODE", ("`RECONCILE_JOB__B__MODE` names no job; did you mean "
            "`RECONCILE_JOB__A__…`?")),
    ],
)  # fmt: skip
def test_a_variable_that_nothing_answers_to_is_an_error(
    here: Path, name: str, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        job({name: "1"})
    assert caught.value.message == sentence


def test_a_password_in_a_variable_is_refused(here: Path) -> None:
    with pytest.raises(SecretInUrl):
        job({"RECONCILE_JOB__A__LEFT": "ssh://a:geheim@h/x"})


def test_url_of_an_endpoint_is_canonical(here: Path) -> None:
    book = load(loaded(ENDPOINTS)).book
    assert url_of(book.endpoints["scp"]) == "ssh://nas/~/photos"


def test_a_file_moved_elsewhere_takes_its_relative_paths_along(here: Path) -> None:
    found = loaded(f"{HEAD}{PAIR}", "one/x.toml")
    shutil.move("one", "two")
    book = load(Found(found.location.replace("one", "two"), "--config")).book
    assert side_of(book, book.jobs["a"], "left") == str(here / "two/l")
