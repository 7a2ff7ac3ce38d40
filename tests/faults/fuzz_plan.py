"""Hostile plans, found by atheris (`pip install .[fuzz]`): a plan's body, behind its hash.

    python -m tests.faults.fuzz_plan -max_total_time=600

Options are libFuzzer's. A body is refused with a ManifestError or is a plan that obeys
every rule of `engine/plancheck.py`; no path of a step leaves the root or is ours. An
input that breaks this is written to the folder the run began in.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reconcile"]):
    from reconcile.engine.plancheck import check_plan
    from reconcile.engine.planfile import SavedPlan
    from reconcile.model.codec import decode, encode
    from reconcile.model.entry import Entry, Kind
    from reconcile.model.errors import ManifestError
    from reconcile.model.job import Job
    from reconcile.model.manifest import Header
    from reconcile.model.plan import Action, Agreement, MadeFrom, Plan, Side, Source, Step
    from reconcile.model.treepath import TreePath


def seed() -> bytes:
    """A valid body to begin with: what msgspec refuses teaches the fuzzer nothing."""
    file = Entry(b"f", Kind.FILE, 3, 1, 0o644, bytes(32), (("owner", b"1:1"),))
    source = Source(Side.LEFT, TreePath(b"d/f"), file)
    path = TreePath(b"d/f")
    steps = (
        Step(1, Side.RIGHT, Action.CREATE, path, path, None, file, source),
        Step(2, Side.LEFT, Action.DELETE, path, path, file, None, needs=(1,)),
    )
    made_from = MadeFrom("pair", "l", "r", 1, b"", b"", b"", Header())
    plan = Plan(made_from, steps, agreements=(Agreement(path, file),))
    return encode(SavedPlan("p-1", plan, Job("l", "r", ""), 1, 2, "host", "0"))


def one_input(data: bytes) -> None:
    """Refused, or a plan whose paths stay inside."""
    try:
        plan = decode(data, SavedPlan).plan
        check_plan(plan)
    except ManifestError:
        return
    for step in plan.steps:
        names = step.at.split(b"/")
        assert not {b"", b".", b".."} & set(names), step.at
        assert names[0] != b".reconcile", step.at


def main() -> None:
    """Fuzz until told to stop."""
    one_input(seed())
    with tempfile.TemporaryDirectory() as corpus:
        (Path(corpus) / "seed").write_bytes(seed())
        options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
        atheris.Setup([sys.argv[0], corpus, "-max_len=20000", "-timeout=10", *options], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
