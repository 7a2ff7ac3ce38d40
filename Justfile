# `just` comes with the development tools (the `rust-just` wheel). `just --list` shows every recipe.

set shell := ["sh", "-eu", "-c"]

python := if path_exists(".venv/bin/python") == "true" { ".venv/bin/python" } else { "python3" }
pytest := python + " -m pytest -q"

# Everything that must be green before a change lands.
default: lint test

# The quick tests.
test *ARGS:
    {{pytest}} -m "not slow" {{ARGS}}

# The tests that take minutes.
slow *ARGS:
    {{pytest}} -m slow {{ARGS}}

# Style, types and floors.
lint:
    {{python}} -m ruff check .
    {{python}} -m ruff format --check .
    {{python}} -m mypy
    {{python}} -c 'from importlinter.cli import lint_imports_command as run; run()' --no-logo --no-cache

# Put the code into shape.
fmt:
    {{python}} -m ruff check --fix .
    {{python}} -m ruff format .

# Measure against the peers and rewrite the table in docs/benchmarks.md.
bench *ARGS:
    {{python}} -m benchmarks.run {{ARGS}}

# Write golden output, public names and generated pages anew. Then read the difference.
golden:
    GOLDEN=1 {{pytest}} tests/cli
    UPDATE_PUBLIC_NAMES=1 {{pytest}} tests/house/test_public_names.py
    UPDATE_DOCS=1 {{pytest}} tests/house/test_docs.py -k page
    git status --short tests docs

# Write the JSON Schemas of what `--json` prints anew.
schemas:
    {{python}} -m reconcile.cli.schemas --write

# Real faults: killed, full, forbidden, failing at every call in turn.
faults *ARGS:
    {{pytest}} tests/faults {{ARGS}}

# 20,000 random stories over every pair of kinds of sides: about 25 minutes of one core.
# `STORIES=500 just stories` tells fewer; `-n 4` shares them out.
stories *ARGS:
    {{pytest}} -m "slow or not slow" tests/stories {{ARGS}}

# Fuzz what reads a stranger's bytes: manifest, plan, filters or frames. Needs the extra `fuzz`.
fuzz TARGET="manifest" SECONDS="60":
    {{python}} -m tests.faults.fuzz_{{TARGET}} -max_total_time={{SECONDS}}
