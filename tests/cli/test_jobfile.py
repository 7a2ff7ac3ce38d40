"""A job of the job file stands where two sides do: what WHAT means, end to end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("reconcile")
FILE = """\
version = 1
[defaults]
exclude = ["*.tmp"]
[endpoint.store]
url = "backup"
[job.photos]
left = "photos"
right = "@store/p"
labels = { left = "laptop", right = "nas" }
exclude = [".thumbs/"]
"""
SECOND = '[job.docs]\nleft = "a"\nright = "b"\n'


class Here:
    """A directory with a job file, and reconcile run in it."""

    def __init__(self, top: Path, environment: dict[str, str]) -> None:
        self.top = top
        self.environment = environment
        for name in ("photos", "backup/p", "a", "b"):
            (top / name).mkdir(parents=True)
        (top / "photos/x.jpg").write_text("x", encoding="utf-8")
        (top / "photos/y.tmp").write_text("y", encoding="utf-8")
        self.write(FILE)

    def write(self, text: str, name: str = "reconcile.toml") -> None:
        (self.top / name).write_text(text, encoding="utf-8")
        (self.top / name).chmod(0o644)

    def run(self, line: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *line.split()],
            cwd=self.top,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def says(self, line: str, code: int = 0, **more: str) -> str:
        """Its stdout."""
        answer = self.run(line, **more)
        assert answer.returncode == code, answer.stdout + answer.stderr
        return answer.stdout

    def objects(self, line: str, code: int, **more: str) -> str:
        """Its stderr."""
        answer = self.run(line, **more)
        assert answer.returncode == code, answer.stdout + answer.stderr
        return answer.stderr


@pytest.fixture
def here(tmp_path: Path, environment: dict[str, str]) -> Here:
    return Here(tmp_path / "w", environment)


def test_the_only_job_is_meant_by_nothing_and_by_its_name(here: Here) -> None:
    for line in ("diff", "diff photos", "apply -n"):
        answer = here.run(line)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout.startswith("Job photos  (reconcile.toml:6)\n")
        assert f"left   laptop  {here.top}/photos" in answer.stdout
        assert f"right  nas     {here.top}/backup/p" in answer.stdout
        assert "x.jpg" in answer.stdout
        assert "y.tmp" not in answer.stdout


def test_every_verb_of_a_pair_takes_the_job(here: Here) -> None:
    assert "1 step done" in here.says("apply photos --yes")
    assert (here.top / "backup/p/x.jpg").exists()
    assert not (here.top / "backup/p/y.tmp").exists()
    assert here.says("verify photos").startswith("Verified: both sides are equal")
    assert "excluded by `*.tmp` (reconcile.toml:3)" in here.says("explain y.tmp photos")
    assert "excluded by `*.tmp` (reconcile.toml:3)" in here.says("explain y.tmp")
    assert here.says("baseline show").startswith("Baseline #1")
    assert "#1" in here.says("baseline list photos")
    assert here.says("baseline adopt photos").startswith("Adopted")
    assert here.says("baseline reset photos --yes").startswith("Forgot")


def test_json_names_the_job(here: Here) -> None:
    hello = json.loads(here.says("diff photos --json").split("\n")[0])
    assert (hello["type"], hello["job"]) == ("hello", "photos")


def test_a_saved_plan_is_applied_and_keeps_the_name(here: Here) -> None:
    here.says("diff photos -o p.rplan")
    assert "1 step done" in here.says("apply p.rplan")
    assert "make a new plan: reconcile diff photos -o FILE.rplan" in here.objects(
        "apply p.rplan", 6
    )


def test_advice_names_the_job_as_it_is_typed(here: Here) -> None:
    for side in ("photos", "backup/p"):
        (here.top / side / "c").write_text(side, encoding="utf-8")
    assert (
        here.says("apply photos --yes", 3).rstrip().endswith("reconcile conflicts resolve photos")
    )
    assert here.says("status").rstrip().endswith("next:  reconcile conflicts resolve photos")
    here.write(FILE, "other.toml")
    (here.top / "reconcile.toml").unlink()
    last = here.says("status -c other.toml").rstrip().split("\n")[-1]
    assert last == "next:  reconcile conflicts resolve photos -c other.toml"
    assert here.run(last.removeprefix("next:  reconcile ") + " --keep left -y").returncode in (
        0,
        64,
    )


WRONG = [
    # command line, code, what is said of it
    ("diff phtos", 12, ("there is no job `phtos` in reconcile.toml; where: jobs: photos, docs; "
        "changed: nothing; try: did you mean `photos`?")),
    ("diff", 64, ("which job? reconcile.toml has 2; where: photos photos @store/p, docs a b; "
        "changed: nothing; try: reconcile diff photos")),
    ("diff a", 64, ("`a` is a directory, and two sides are wanted; changed: nothing; try: "
        "reconcile diff a OTHER")),
    ("diff ./photos", 64, "`./photos` is one side, and two are wanted"),
    ("verify @store", 64, ("`@store` is one side, and two are wanted; changed: nothing; try: "
        "reconcile verify @store OTHER")),
    ("diff nas:x", 64, "`nas:x` is one side, and two are wanted"),
    ("diff @stor a", 12, ("there is no `[endpoint.stor]` in reconcile.toml; where: endpoints: "
        "@store; changed: nothing; try: did you mean `@store`?")),
    ("diff @store/../x a", 64, "`@store/../x` holds `.`, `..` or `//`"),
    ("apply x.rplan", 12, "there is no plan `x.rplan`"),
    ("diff x.rplan", 64, "`x.rplan` is a saved plan"),
    ("diff -c none.toml", 78, "there is no job file `none.toml`; where: --config"),
    ("diff a b -c none.toml", 78, "there is no job file `none.toml`"),
    ("diff photos --mode miror", 64, "`miror` is not one of two-way, mirror, update"),
    ("diff photos --window 2", 64, "`--window 2`: no duration like"),
    ("status nope", 12, "there is no job `nope`"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "said"), WRONG, ids=[row[0] for row in WRONG])
def test_what_cannot_be_meant_is_said_with_what_to_type(
    here: Here, line: str, code: int, said: str
) -> None:
    here.write(FILE + SECOND)
    assert said in here.objects(line, code)


def test_without_a_job_file_two_sides_are_wanted(here: Here) -> None:
    (here.top / "reconcile.toml").unlink()
    assert "there is no job file; changed: nothing; try: reconcile diff LEFT RIGHT" in (
        here.objects("diff", 64)
    )
    assert "`photos` is a directory, and two sides are wanted" in here.objects("diff photos", 64)
    assert "`x` is no job: there is no job file" in here.objects("diff x", 64)
    assert "`@s` is an endpoint of a job file, and there is no" in here.objects("diff @s a", 64)
    assert "`a` is no job: there is no job file; changed: nothing; try: reconcile status lists" in (
        here.objects("status a b", 64)
    )


def test_a_file_with_errors_is_one_error_with_every_line(here: Here) -> None:
    here.write("version = 1\nx = 1\n[job.photos]\nmod = 'mirror'\n")
    said = here.objects("diff photos", 78)
    assert "error[E_CONFIG]: 4 errors in reconcile.toml; where: reconcile.toml:2:1: " in said
    assert "reconcile.toml:4:1: unknown key `mod`; did you mean `mode`?" in said
    lines = here.says("diff photos --json", 78).splitlines()
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds == ["hello", "error", "exit"]


def test_two_sides_use_no_defaults_and_a_job_of_them_is_told(here: Here) -> None:
    answer = here.run("diff photos backup/p")
    assert "y.tmp" in answer.stdout, "the defaults are the jobs'"
    assert answer.stderr == (
        "note: these are the sides of job `photos` (reconcile.toml:6); its settings are not used "
        "here, as they are by `reconcile diff photos`\n"
    )
    assert here.run("diff photos backup/p -q").stderr == ""
    assert here.run("diff photos backup/p --json").stderr == ""
    assert here.run("diff a b").stderr == ""
    here.write("no toml at all")
    assert here.run("diff photos backup/p").stderr == "", "what is not used is not judged"


def test_a_job_and_its_two_sides_share_a_baseline(here: Here) -> None:
    here.says("apply photos --yes")
    assert "baseline #1" in here.says("diff photos @store/p --exclude *.tmp")


def test_a_directory_of_the_job_s_name_is_not_meant_and_that_is_said(here: Here) -> None:
    here.write(FILE + SECOND.replace("docs", "backup"))
    assert here.run("diff backup").stderr == (
        "note: `backup` is read as the job; write ./backup for the directory\n"
    )
    assert here.run("diff photos").stderr == "", "its own side misleads nobody"


def test_the_environment_goes_between_the_line_and_the_file(here: Here) -> None:
    own = {"RECONCILE_JOB__PHOTOS__EXCLUDE": "x.*"}
    assert "In sync" in here.says("diff photos", **own)
    moved = {"RECONCILE_JOB__PHOTOS__LEFT": "a"}
    (here.top / "a/new").write_text("n", encoding="utf-8")
    assert f"laptop  {here.top}/a" in here.says("diff photos", **moved)
    wrong = {"RECONCILE_JOB__PHOTOS__EXCLDE": "x"}
    assert "names no key of job `photos`; did you mean" in here.objects("diff photos", 78, **wrong)
    assert here.run("diff a b", **wrong).returncode == 0


def test_the_file_is_found_where_the_user_keeps_it(here: Here) -> None:
    text = FILE.replace('"photos"', f'"{here.top}/photos"').replace("backup", f"{here.top}/backup")
    (here.top / "reconcile.toml").unlink()
    own = Path(here.environment["HOME"]) / ".config/reconcile"
    own.mkdir(parents=True)
    (own / "config.toml").write_text(text, encoding="utf-8")
    (own / "config.toml").chmod(0o644)
    assert here.says("diff").startswith(f"Job photos  ({own}/config.toml:6)")
    assert here.says("diff -C /").startswith(f"Job photos  ({own}/config.toml:6)")


def test_a_file_of_the_group_is_obeyed_with_a_warning(here: Here) -> None:
    (here.top / "reconcile.toml").chmod(0o664)
    assert here.run("diff").stderr.startswith(
        "warning: `reconcile.toml` can be written by its group"
    )
    assert here.run("diff -q").stderr == ""


def test_a_manifest_is_made_of_an_endpoint_by_its_name(here: Here) -> None:
    here.says("manifest build @store/p -o m.rman")
    assert here.says("manifest verify m.rman @store/p")


def test_a_guard_of_the_file_is_told_with_its_line(here: Here) -> None:
    here.write(f"{FILE}max_delete = 0\n")
    here.says("apply photos --yes")
    (here.top / "photos/x.jpg").unlink()
    (here.top / "photos/z.jpg").write_text("z", encoding="utf-8")
    assert "reconcile.toml:11" in here.objects("apply photos --yes", 5)
    assert here.run("apply photos --yes --max-delete 1").returncode == 0


def test_a_job_named_like_the_id_of_a_conflict_is_the_job(here: Here) -> None:
    here.write('version = 1\n[job.c-nas]\nleft = "a"\nright = "b"\n')
    for side in ("a", "b"):
        (here.top / side / "f").write_text(side, encoding="utf-8")
    advice = here.says("apply c-nas --yes", 3).rstrip()
    assert advice.endswith("reconcile conflicts resolve c-nas")
    assert "1 conflict." in here.says("conflicts list c-nas")
    assert "Resolved 1 of 1." in here.says("conflicts resolve c-nas --keep left --yes")
