#!/bin/sh
# See reconcile do its main job, on the example or on two directories of yours.
#
#   scripts/try.sh                      the files of examples/first-steps, copied to .try/first-steps
#   scripts/try.sh LEFT RIGHT           two directories of yours: the plan first, then a question
#   scripts/try.sh LEFT RIGHT --yes     the same, where nobody can be asked
#
# What it does: diff (the plan is shown and saved), show (the saved plan, read
# back), apply (exactly that plan), verify (both sides read again), and a second
# diff, which has nothing left to say. Every command is printed before it runs.
#
# Your directories are only read until the plan has been shown and you have
# answered `y`; without a terminal nothing is applied unless `--yes` is the
# third argument. What is overwritten or deleted is kept below .reconcile/ in
# that directory. The guards stay on: many deletions at once are refused.
#
# Needs Python 3.11 or newer and a package registry. reconcile is installed into
# .try/venv and keeps its state in .try/; nothing else on the machine is touched.
# Exit code: 0 when the sides agree at the end, otherwise the code of the
# command that stopped (docs/exit-codes.md), 64 when it would have had to ask.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
try="$root/.try"
. "$root/scripts/venv.sh"

case $# in
0) left='' right='' ;;
2 | 3) [ -d "$1" ] || die "no directory \`$1\`"
    [ -d "$2" ] || die "no directory \`$2\`"
    [ "${3:---yes}" = --yes ] || die "the third argument can only be --yes, not \`$3\`"
    left=$(CDPATH='' cd -- "$1" && pwd -P) right=$(CDPATH='' cd -- "$2" && pwd -P) ;;
*) die "give two directories, or none for the example" ;;
esac
yes=${3:-}

# run COMMAND...: print it, run it, leave its exit code in $code.
run() {
    printf '\n$ %s\n' "$*"
    code=0
    "$@" || code=$?
}

# must WANTED-CODES COMMAND...: run it, and stop with its code when that is none of these.
must() {
    wanted=$1
    shift
    run "$@"
    case " $wanted " in
    *" $code "*) return 0 ;;
    esac
    printf '\nstopped: `%s` ended with %s\n' "$*" "$code"
    exit "$code"
}

# approve: a `y` at the terminal, or the third argument.
approve() {
    [ "$yes" = --yes ] && return 0
    if [ -t 0 ]; then
        printf '\nApply exactly this plan to your directories? [y/N] '
        read -r answer || answer=''
        case $answer in
        y | Y | yes) return 0 ;;
        esac
        printf 'nothing was changed: the plan is in %s\n' "$plan"
        exit 0
    fi
    printf '\nnothing was changed: nobody can be asked here; give --yes as the third argument\n'
    exit 64
}

# round LEFT RIGHT OPTION...: the main job, from the first look to the last step. Leaves what
# `apply` ended with in $applied.
round() {
    rm -f "$plan"
    must "0 2 3" reconcile diff "$@" -o "$plan" --exit-code
    applied=$code
    [ "$code" != 0 ] || return 0
    must "0" reconcile show "$plan"
    [ "$mine" = no ] || approve
    must "0 3" reconcile apply "$plan"
    applied=$code
}

# example: two edited copies meet, then live on: an edit here, a deletion there.
example() {
    rm -rf "$try/first-steps"
    mkdir -p "$try/first-steps"
    cp -R -P "$root/examples/first-steps/left" "$root/examples/first-steps/right" "$try/first-steps/"
    cd "$try/first-steps"
    RECONCILE_STATE_DIR="$try/first-steps/state" plan=plan.rplan mine=no
    export RECONCILE_STATE_DIR
    printf 'In %s: two copies of a small project, edited apart.\n' "$PWD"

    printf '\n# 1. They meet. `notes/todo.md` differs: by default nobody decides, so ask for both to be kept.\n'
    must "0" reconcile diff left right
    round left right --on-conflict keep-both

    printf '\n# 2. Life goes on: an edit on the left, a deletion on the right.\n'
    run sh -c 'echo "4. Harbour bar" >>left/notes/routes/north.md'
    run rm right/notes/tides.csv
    round left right
    must "0" reconcile verify left right
    silent left right
    printf '\nDone: both copies hold the same files; the superseded ones are kept below .reconcile/ in each.\n'
}

# given: the same on two directories of the user's.
given() {
    mkdir -p "$try/state"
    RECONCILE_STATE_DIR="$try/state" plan="$try/plan.rplan" mine=yes
    export RECONCILE_STATE_DIR
    round "$left" "$right"
    if [ "$applied" = 3 ]; then
        printf '\nstopped: applied, and conflicts are left; both sides are untouched there\n'
        exit 3
    fi
    must "0" reconcile verify "$left" "$right"
    silent "$left" "$right"
    printf '\nDone: %s and %s agree.\n' "$left" "$right"
}

# silent LEFT RIGHT: a diff that has nothing to say, and must not.
silent() {
    must "0" reconcile diff "$@" --quiet --exit-code
}

mkdir -p "$try"
make_venv "$try/venv"
install_into "$try/venv" "$root" ''
PATH="$try/venv/bin:$PATH"
if [ -n "$left" ]; then given; else example; fi
