"""Names that try to be something else, and reports that hold them."""

from reconcile.model.plan import Action, Plan, Problem, Side
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.store.records import Run
from tests.cli.plans import NOON_NS, Script, conflicts_of_mockup, file, made_from

STRANGE = (
    b"=cmd()|' /C calc'!A0",
    b"+1+1",
    b"-2",
    b"@SUM(A1)",
    b"'quoted",
    "＝wide".encode(),
    b"a\nb",
    b"a\rb",
    b"tab\there",
    b"\x1b[31mred\x1b]0;title\x07",
    b"[/b]",
    b"[link](javascript:alert(1))",
    b"<script>alert(1)</script>",
    b"</td></table><img src=x onerror=alert(1)>",
    b"a|b",
    b"a\\|b",
    b"tick`tock``",
    b"$'already'",
    b"back\\slash",
    b"bad\xff\xfe.txt",
    b"rub\x7fout",
    "rtl\u202egnp.exe".encode(),
    "zero\u200bwidth".encode(),
    "\u2028line".encode(),
    "שלום.txt".encode(),
    b" leading",
    b"trailing ",
    b'semi;colon,comma"quote',
    b"@someone #1 http://x.example www.x.example",
    b"-->",
    b"~",
    b"a  4.1 MiB  new-at-left  planned  b",
    b"from",
    b"x" * 255,
)
RUN = "r-01jd7qabcd"
PLAN = "p-9f31c2a4be10"


def plan_of_strange() -> Plan:
    """Every strange name created, and moved; one in a problem, one in a sentence."""
    script = Script()
    for name in STRANGE:
        script.add(Action.CREATE, Side.RIGHT, b"new/" + name, None, file(1), "new-at-left")
        script.add(Action.CREATE, Side.LEFT, name, None, file(2), "new-at-right")
    script.add(Action.MOVE, Side.RIGHT, b"to/" + STRANGE[6], None, file(3), "moved-at-left", "old")
    problems = tuple(
        Problem(TreePath(b"bad/" + name), Side.LEFT, "E_UNKNOWN", f"`{name!r}` <b>is</b> =odd|")
        for name in STRANGE
    )
    return Plan(
        made_from(), tuple(script.steps), conflicts=conflicts_of_mockup(), problems=problems
    )


def run_of(plan: Plan) -> tuple[Run, list[tuple[object, Receipt]]]:
    """The run of a plan that was saved, its second step failed."""
    from reconcile.model.codec import encode

    run = Run(
        RUN, PLAN, plan.made_from, NOON_NS, encode(plan), NOON_NS + 10**9, "partial",
        baseline_after=42,
    )  # fmt: skip
    journal: list[tuple[object, Receipt]] = []
    for step in plan.steps:
        failed = Receipt(step.id, Status.FAILED, "E_NO_SPACE", "disk <full>")
        journal.append((step, failed if step.id == 2 else Receipt(step.id, Status.DONE)))
    return run, journal
