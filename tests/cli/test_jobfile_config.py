"""`config`, `init` and `status`: the job file checked, shown, written and gone by."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from reconcile.cli.schemas import job_file_schema
from reconcile.decide.job_keys import ENDPOINT_KEYS, JOB_KEYS, VERSION_KEYS
from reconcile.decide.job_text import job_file_text
from tests.cli.terminal import Terminal
from tests.cli.test_jobfile import FILE, Here, here

__all__ = ["here"]

BAD = "version = 1\ninclde = 'x'\n[job.photos]\nleft = 'photos'\nright = '@nsa'\n"


def test_check_says_every_fault_on_a_line_of_its_own(here: Here) -> None:
    assert here.says("config check") == "reconcile.toml: ok, 1 job, 1 endpoint\n"
    assert here.says("config check -q") == ""
    here.write(BAD)
    assert here.says("config check", 78) == (
        "reconcile.toml:2:1: unknown key `inclde`; did you mean `include`?\n"
        "reconcile.toml:5:1: `right`: there is no `[endpoint.nsa]` in reconcile.toml; write "
        "./@nsa for a directory\n"
        "reconcile.toml: 2 errors\n"
    )
    found = json.loads(here.says("config check --json", 78))
    assert [(fault["line"], fault["column"]) for fault in found["faults"]] == [(2, 1), (5, 1)]


def test_check_finds_roots_that_overlap_and_variables_of_nobody(here: Here) -> None:
    here.write(FILE.replace("@store/p", "photos/below"))
    (here.top / "photos/below").mkdir()
    said = here.says("config check", 78, RECONCILE_JOB__PHOTOS__BWLIMT="1M")
    assert said.startswith("environment: `RECONCILE_JOB__PHOTOS__BWLIMT` names no key of job")
    assert "reconcile.toml:6:1: `" in said
    assert "lies inside" in said


def test_check_reaches_the_sides_when_asked(here: Here) -> None:
    assert here.says("config check --connect") == (
        f"ok    photos left   {here.top}/photos\n"
        f"ok    photos right  {here.top}/backup/p\n"
        "reconcile.toml: ok, 1 job, 1 endpoint\n"
    )
    (here.top / "backup/p").rmdir()
    said = here.says("config check --connect", 12)
    assert f"fail  photos right  {here.top}/backup/p  E_ROOT_MISSING: there is no" in said
    found = json.loads(here.says("config check --connect --json", 12))
    assert [one["code"] for one in found["reached"]] == ["", "E_ROOT_MISSING"]


def test_show_gives_each_value_and_its_origin(here: Here) -> None:
    assert here.says("config show photos --origin", RECONCILE_JOB__PHOTOS__BWLIMIT="1M") == (
        "[job.photos]\n"
        'left    = "photos"                            # reconcile.toml:7\n'
        'right   = "@store/p"                          # reconcile.toml:8\n'
        'labels  = { left = "laptop", right = "nas" }  # reconcile.toml:9\n'
        'exclude = ["*.tmp", ".thumbs/"]               # reconcile.toml:3, reconcile.toml:10\n'
        'bwlimit = "1M"                                # RECONCILE_JOB__PHOTOS__BWLIMIT\n'
        "\n"
    )
    assert here.says("config show").startswith('[endpoint.store]\nurl = "backup"\n\n[job.photos]\n')
    assert 'mode             = "two-way"' in here.says("config show -v")
    document = json.loads(here.says("config show --json"))
    assert document["jobs"][0]["right"] == f"{here.top}/backup/p"
    assert document["endpoints"] == [
        {"name": "store", "origin": "reconcile.toml:4", "url": f"{here.top}/backup"}
    ]


def test_what_show_gives_is_a_job_file(here: Here) -> None:
    text = "version = 1\n" + here.says("config show -v --origin")
    here.write(text, "again.toml")
    assert here.says("config check -c again.toml") == "again.toml: ok, 1 job, 1 endpoint\n"


def test_path_lists_the_places_and_the_one_that_is_used(here: Here) -> None:
    lines = here.says("config path").splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [
        ["FILE", "STATE"], ["reconcile.toml", "used"],
    ]  # fmt: skip
    assert json.loads(here.says("config path --json"))["used"] == "reconcile.toml"
    (here.top / "reconcile.toml").unlink()
    assert json.loads(here.says("config path --json"))["used"] is None
    assert "there is no job file" in here.objects("config show", 64)


def test_the_schema_takes_what_the_program_takes(here: Here) -> None:
    schema = json.loads(here.says("config schema"))
    assert json.loads(job_file_schema()) == schema
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(FILE), schema)
    for text in (BAD, "[defaults]\n", FILE + "mode = 'miror'\n", FILE + "compress = 'yes'\n"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(tomllib.loads(text), schema)


def every_key(text: str) -> str:
    """A file of `init` with every comment that is a key or a table said."""
    said = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        is_code = bare.startswith("[") or bare.split(" =")[0].isidentifier()
        said.append(bare if is_code else line)
    return "\n".join(said) + "\n"


def test_every_line_that_init_writes_as_a_comment_is_taken(here: Here) -> None:
    text = every_key(job_file_text("photos", {"left": "photos", "right": "@nas"}))
    (here.top / "photos.ignore").write_text("*.o\n", encoding="utf-8")
    here.write(text, "all.toml")
    assert here.says("config check -c all.toml") == "all.toml: ok, 1 job, 1 endpoint\n"
    said = tomllib.loads(text)
    assert set(said["job"]["photos"]) == {key.name for key in JOB_KEYS}
    assert set(said["job"]["photos"]["versions"]) == {key.name for key in VERSION_KEYS}
    assert set(said["endpoint"]["nas"]) == {key.name for key in ENDPOINT_KEYS}
    jsonschema.validate(said, json.loads(job_file_schema()))
    assert max(map(len, text.splitlines())) <= 80


def test_init_without_questions(here: Here) -> None:
    (here.top / "reconcile.toml").unlink()
    said = here.says("init --non-interactive photos a --exclude *.tmp --mode mirror")
    assert said.splitlines()[-1] == "next:  reconcile diff photos"
    table = tomllib.loads((here.top / "reconcile.toml").read_text(encoding="utf-8"))
    assert table == {
        "version": 1,
        "job": {"photos": {"left": "photos", "right": "a", "mode": "mirror", "exclude": ["*.tmp"]}},
    }
    assert (here.top / "reconcile.toml").stat().st_mode & 0o777 == 0o644
    assert "x.jpg" in here.says("diff photos")


def test_init_says_what_to_type_next_as_a_shell_reads_it(here: Here) -> None:
    said = here.says("init --non-interactive photos a -c a&b.toml")
    assert said.endswith("next:  reconcile diff photos -c 'a&b.toml'\n")


def test_init_overwrites_nothing_and_says_what_to_add(here: Here) -> None:
    answer = here.run("init --non-interactive photos a --name zwei")
    assert answer.returncode == 64
    assert answer.stdout == (
        '# to add to reconcile.toml:\n[job.zwei]\nleft  = "photos"\nright = "a"\n'
    )
    assert "is there already, and is not overwritten" in answer.stderr
    assert (here.top / "reconcile.toml").read_text(encoding="utf-8") == FILE


INIT_WRONG = [
    ("init", 64, "it would have to ask, and nobody can answer"),
    ("init photos a", 64, "it would have to ask, and nobody can answer"),
    ("init --non-interactive", 64, "two sides are wanted"),
    ("init --non-interactive photos", 64, "two sides are wanted"),
    ("init --non-interactive photos none", 12, "there is no directory"),
    ("init --non-interactive photos photos", 64, "the same directory"),
    ("init --non-interactive photos a --name a/b", 64, "`a/b` is no name for a job"),
    ("init --non-interactive photos a --preset tmp", 64, "did you mean `temp`?"),
    ("init --non-interactive ssh://a:geheim@h/x a", 64, "a password stands in"),
]


@pytest.mark.parametrize(("line", "code", "said"), INIT_WRONG, ids=[row[0] for row in INIT_WRONG])
def test_init_writes_nothing_that_could_not_work(
    here: Here, line: str, code: int, said: str
) -> None:
    (here.top / "reconcile.toml").unlink()
    told = here.objects(line, code)
    assert said in told
    assert "geheim" not in told
    assert not (here.top / "reconcile.toml").exists()


def test_init_asks_and_asks_again(here: Here) -> None:
    (here.top / "reconcile.toml").unlink()
    with Terminal(["init"], here.top, here.environment) as terminal:
        for prompt, answer in (
            ("Left side: ", "photos"),
            ("Right side: ", "none"),
            ("Take it all the same? [y/N] ", "n"),
            ("Right side: ", "backup/p"),
            ("Name of the job [photos]: ", "my photos"),
            ("Name of the job [photos]: ", ""),
            ("Mode [two-way]: ", ""),
            ("On conflict [report]: ", "newer, keep-both"),
            ("Leave out temporary files and caches? [Y/n] ", ""),
        ):
            terminal.wait_for(prompt)
            terminal.seen = terminal.seen.partition(prompt)[2]
            terminal.type(answer + "\n")
        assert terminal.ends() == 0
    assert terminal.seen.rstrip().endswith("next:  reconcile diff photos")
    table = tomllib.loads((here.top / "reconcile.toml").read_text(encoding="utf-8"))
    assert table["job"]["photos"] == {
        "left": "photos", "right": "backup/p", "mode": "two-way",
        "on_conflict": ["newer", "keep-both"], "preset": ["temp"],
    }  # fmt: skip


def test_init_ends_when_nobody_answers(here: Here) -> None:
    (here.top / "reconcile.toml").unlink()
    with Terminal(["init"], here.top, here.environment) as terminal:
        terminal.wait_for("Left side: ")
        terminal.type("\n\n\n")
        assert terminal.ends() == 64
    assert not (here.top / "reconcile.toml").exists()


def last_line(text: str) -> str:
    return text.rstrip("\n").split("\n")[-1]


def test_status_ends_with_the_command_to_type(here: Here) -> None:
    (here.top / "reconcile.toml").rename(here.top / "kept.toml")
    assert last_line(here.says("status")) in (
        "next:  reconcile demo", "next:  reconcile diff LEFT RIGHT",
    )  # fmt: skip
    (here.top / "kept.toml").rename(here.top / "reconcile.toml")
    assert last_line(here.says("status")) == "next:  reconcile diff photos"
    assert here.says("status --exit-code", 2)
    here.says("apply photos --yes")
    assert here.says("status").splitlines()[-2:] == [
        "In sync as of the last run.", "next:  reconcile diff photos",
    ]  # fmt: skip
    assert here.says("status -q") == ""
    for side in ("photos", "backup/p"):
        (here.top / side / "c").write_text(side, encoding="utf-8")
    here.says("apply photos --yes", 3)
    here.says("apply a b --yes")
    text = here.says("status")
    assert last_line(text) == "next:  reconcile conflicts resolve photos"
    assert "\n-       in sync" in text
    assert f"\n  {here.top}/a  {here.top}/b\n" in text
    assert here.says("status --exit-code", 3)
    assert "in sync" not in here.says("status photos")


def test_status_lists_the_jobs_in_their_order_and_those_never_run(here: Here) -> None:
    here.write(FILE + '[job.docs]\nleft = "a"\nright = "b"\n')
    here.says("apply docs --yes")
    document = json.loads(here.says("status --json"))
    assert [(one["job"], one["state"]) for one in document["pairs"]] == [
        ("photos", "never run"), ("docs", "in sync"),
    ]  # fmt: skip
    assert [one["advice"] for one in document["pairs"]] == ["reconcile diff photos", ""]


def test_status_hides_no_pair_behind_a_broken_job_file(here: Here) -> None:
    here.says("apply a b --yes")
    here.write("nonsense")
    answer = here.run("status")
    assert answer.returncode == 0
    assert answer.stderr.startswith("warning: reconcile.toml:1:9: ")
    assert f"{here.top}/a  {here.top}/b" in answer.stdout
    assert here.run("status photos").returncode == 78


@pytest.mark.parametrize("columns", [40, 80])
def test_status_fits_its_terminal(here: Here, columns: int) -> None:
    here.write(FILE + '[job.a-rather-long-name]\nleft = "a"\nright = "b"\n')
    here.says("apply photos --yes")
    width = {"COLUMNS": str(columns)}
    with Terminal(["status"], here.top, {**here.environment, **width}) as terminal:
        assert terminal.ends() == 0
    lines = terminal.seen.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= columns, lines
    assert lines[-1].startswith("next:  reconcile diff")


def test_the_file_s_own_directory_decides_what_is_written(here: Here) -> None:
    config = here.top / "sub/x.toml"
    config.parent.mkdir()
    assert last_line(here.says("init --non-interactive photos a -c sub/x.toml")) == (
        "next:  reconcile diff photos -c sub/x.toml"
    )
    table = tomllib.loads(Path(config).read_text(encoding="utf-8"))
    assert table["job"]["photos"]["left"] == f"{here.top}/photos"
