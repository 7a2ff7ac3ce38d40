#!/bin/sh
# Run everything that must be green: ruff, mypy, the floors, then the tests.
#
#   scripts/test.sh [PYTEST-ARGUMENT...]      e.g. scripts/test.sh tests/decide -k moves
#
# Needs Python 3.11 or newer, git, an OpenSSH server, man, groff, zsh, fish, what mounts exFAT,
# NTFS and FUSE, attr, acl, strace, b3sum, faketime, and a package registry. What is missing is
# installed: Debian packages with apt-get (only as root), Python packages into .venv beside this
# checkout, never into the system. A second run
# installs nothing. (`just slow` looks at pages in Debian's `chromium`, where that is
# installed.) Every check runs even when an earlier one failed; the exit code is 0
# only when all passed. The last line printed is pytest's own summary.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
. scripts/venv.sh

failed=''
# check NAME COMMAND...: run one check; a failure is remembered, not fatal.
check() {
    name=$1
    shift
    say "$name"
    "$@" || failed="$failed ($name)"
}

command -v git >/dev/null 2>&1 || install_debian git "\`git\` is missing"
need_sshd
need_readers
need_disks
make_venv .venv
install_into .venv "$root" '[dev]'
PATH="$root/.venv/bin:$PATH"
export PATH

check "ruff check" ruff check -q .
check "ruff format" ruff format -q --check .
check "mypy" mypy --no-error-summary
check "lint-imports" lint-imports --no-logo --no-cache
[ -z "$failed" ] || say "FAILED so far:$failed"

cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
[ "$cores" -le 4 ] || cores=4
[ "$#" -gt 0 ] || set -- -n "$cores"
say "pytest (tests marked slow are left to \`just slow\`)"
status=0
python -m pytest -q -p no:cacheprovider -m "not slow" "$@" || status=$?
[ -z "$failed" ] || exit 1
exit "$status"
