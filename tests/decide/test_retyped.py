"""Options typed again mean what was asked."""

import shlex

import pytest
from msgspec.structs import replace

from reconcile.cli.asked import flags_of
from reconcile.cli.face import Face
from reconcile.cli.parse import parse
from reconcile.cli.table import Parsed
from reconcile.decide.retyped import options_of
from reconcile.decide.settle import settle
from reconcile.model.job import FilterRule, Job

LINES = (
    "",
    "--mode mirror",
    "--mode mirror --no-delete",
    "--mode update",
    "--on-conflict newer,left --tie right --window 1.5s",
    "--on-conflict '*.txt=merge,left' --on-conflict report --keep-name right",
    "--delete-vs-edit keep --rights-left edit --rights-right none",
    "--unicode exact --fix-case --no-moves",
    "--exclude '*.o' --include keep.o --exclude 'a b/'",
    "--preset temp,hidden --exclude x",
    "--no-hidden --select docs --select 'my pictures' --text-only",
    "--max-size 20M --min-age 90s",
    "--hash sha256 --meta mode,owner --links portable",
    "--meta none --require .mounted",
)


def asked(line: str) -> Job:
    argv = shlex.split(f"diff A B {line}")
    parsed = parse(argv)
    assert isinstance(parsed, Parsed)
    return settle(flags_of(Face(parsed, argv, {})), {}, Job("A", "B", ""))


def plain(job: Job) -> Job:
    """Without where each thing came from."""
    rules = tuple(FilterRule(rule.pattern, rule.include) for rule in job.filters.rules)
    paths = tuple(replace(path, origin="") for path in job.rules.path_policies)
    return replace(
        job,
        origins=(),
        filters=replace(job.filters, rules=rules),
        rules=replace(job.rules, path_policies=paths),
    )


@pytest.mark.parametrize("line", LINES)
def test_what_was_asked_is_asked_again(line: str) -> None:
    job = asked(line)
    again = " ".join(text for _, text in options_of(job))
    assert plain(asked(again)) == plain(job), again


def test_what_is_said_for_one_run_is_not_said_again() -> None:
    assert options_of(asked("--max-delete 40 --paranoid")) == ()
