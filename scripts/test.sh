#!/bin/sh
# Run everything that must be green: ruff, mypy, the floors, then the tests.
#
#   scripts/test.sh [PYTEST-ARGUMENT...]      e.g. scripts/test.sh tests/decide -k moves
#
# Needs Python 3.11 or newer, git, and a package registry. What is missing is
# installed: Debian packages with apt-get (only as root), Python packages into
# .venv beside this checkout, never into the system. A second run installs
# nothing. Every check runs even when an earlier one failed; the exit code is 0
# only when all passed. The last line printed is pytest's own summary.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV || true

say() { printf '== %s\n' "$*"; }
die() { printf 'scripts/test.sh: %s\n' "$*" >&2; exit 1; }

# install_debian COMMAND PACKAGE: make sure that COMMAND exists.
install_debian() {
    command -v "$1" >/dev/null 2>&1 && return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
        die "\`$1\` is missing: install the package $2"
    say "installing Debian package $2 (for \`$1\`)"
    [ -n "${apt_updated:-}" ] || apt-get -qq update
    apt_updated=1
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$2" >/dev/null
}

# find_python: the first interpreter that is new enough.
find_python() {
    for name in python3 python3.11 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

# make_venv: .venv, when it is missing or its interpreter is gone.
make_venv() {
    .venv/bin/python -c 'import pip' >/dev/null 2>&1 && return 0
    say "creating .venv with $python ($("$python" --version))"
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        rm -rf .venv
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
            die "\`$python -m venv\` does not work: install the package python3-venv"
        say "installing Debian package python3-venv"
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install python3-venv >/dev/null
        "$python" -m venv .venv
    fi
}

# install_packages: this checkout, editable, with its development tools, when pyproject.toml changed.
install_packages() {
    stamp="$(cksum <pyproject.toml) $root"
    [ "$(cat .venv/installed 2>/dev/null)" = "$stamp" ] && return 0
    say "installing reconcile and its development tools into .venv"
    .venv/bin/python -m pip install -q -e '.[dev]'
    printf '%s' "$stamp" >.venv/installed
}

failed=''
# check NAME COMMAND...: run one check; a failure is remembered, not fatal.
check() {
    name=$1
    shift
    say "$name"
    "$@" || failed="$failed $name"
}

install_debian git git
install_debian cksum coreutils
if ! python=$(find_python); then
    install_debian python3 python3
    python=$(find_python) || die "Python 3.11 or newer is needed"
fi
make_venv
install_packages
PATH="$root/.venv/bin:$PATH"
export PATH

check "ruff check" ruff check -q .
check "ruff format" ruff format -q --check .
check "mypy" mypy --no-error-summary
check "lint-imports" lint-imports --no-logo --no-cache
[ -z "$failed" ] || say "FAILED so far:$failed"

cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
[ "$cores" -le 4 ] || cores=4
say "pytest (on $cores processes; tests marked slow are left to \`just slow\`)"
if [ "$#" -eq 0 ]; then
    set -- -n "$cores"
fi
status=0
python -m pytest -q -p no:cacheprovider -m "not slow" "$@" || status=$?
[ -z "$failed" ] || exit 1
exit "$status"
