"""The conformance vectors of judgement: manifests/v1/threeway and manifests/v1/plan.

They were made once from the reviewed tables and are only added to: where a rule was
changed since, `plan-superseded.json` has the plan that is right now, and why. A second
implementation reads the same files; `tests/vectors/threeway.py` says how.
"""

from pathlib import Path

import pytest

from tests.vectors.make_threeway import plans, tables
from tests.vectors.threeway import VECTORS, Json, found_differences, found_plan, read

THREEWAY = sorted((VECTORS / "threeway").glob("*.json"))
PLANS = sorted((VECTORS / "plan").glob("*.json"))


SUPERSEDED = {
    (row["vector"], row["number"]): row["plan"] for row in read(VECTORS / "plan-superseded.json")
}


def cases(locations: list[Path]) -> list[object]:
    """Every case of every file, with a readable id."""
    return [
        pytest.param(case, id=f"{location.stem}: {case['title']}: {number}")
        for location in locations
        for number, case in enumerate(read(location))
    ]


@pytest.mark.parametrize("case", cases(THREEWAY))
def test_differences_are_those_of_the_vector(case: Json) -> None:
    assert found_differences(case) == case["differences"]


@pytest.mark.parametrize("case", cases(PLANS))
def test_the_plan_is_that_of_the_vector(case: Json, request: pytest.FixtureRequest) -> None:
    stem, number = request.node.callspec.id.split(": ")[0], request.node.callspec.id.split(": ")[-1]
    assert found_plan(case) == SUPERSEDED.get((stem, int(number)), case["plan"])


def test_every_table_has_its_vectors() -> None:
    assert {location.stem for location in THREEWAY} >= tables().keys()
    assert {location.stem for location in PLANS} >= plans().keys()
