#!/bin/sh
# See reconcile do its main job, on the example or on two directories of yours.
#
#   scripts/try.sh                      the files of examples/first-steps, copied to .try/first-steps
#   scripts/try.sh LEFT RIGHT           two directories of yours: the plan, then a question
#   scripts/try.sh LEFT RIGHT --yes     the same, where nobody can be asked
#
# Every command is printed before it runs, as it can be pasted into the same shell. Your
# directories are only read until you have answered; what is overwritten or deleted is kept
# below .reconcile/ in them, and the guards stay on.
#
# Needs Python 3.11 or newer and a package registry. reconcile is installed into .try/venv
# and keeps its state in .try/; nothing else on the machine is touched. Exit code: 0 when
# the sides agree at the end, otherwise the code of the command that stopped
# (docs/exit-codes.md), 64 when it would have had to ask.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
try="$root/.try"
. "$root/scripts/venv.sh"

# quoted WORD: as a shell reads it back.
quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }

# run LINE [CODE]: print a command line and run it; stop when it ends with neither 0 nor CODE.
run() {
    printf '\n$ %s\n' "$1"
    code=0
    eval "$1" || code=$?
    [ "$code" = 0 ] || [ "$code" = "${2:-0}" ] || stop "$1"
}

# stop LINE: what ended it, with its code.
stop() {
    printf '\nstopped: `%s` ended with %s\n' "$1" "$code"
    exit "$code"
}

# example: two edited copies meet, then live on: an edit here, a deletion there.
example() {
    rm -rf "$try/first-steps"
    mkdir -p "$try/first-steps"
    cp -R -P "$root/examples/first-steps/left" "$root/examples/first-steps/right" "$try/first-steps/"
    echo 'Two copies of a small project, edited apart. They meet:'
    run "cd $(quoted "$try/first-steps")"
    run "export PATH=$(quoted "$try/venv/bin"):\"\$PATH\" RECONCILE_STATE_DIR=$(quoted "$try/first-steps/state")"
    run 'reconcile diff left right --on-conflict keep-both -o plan.rplan'
    run 'reconcile apply plan.rplan'
    printf '\nLife goes on: an edit on the left, a deletion on the right.\n'
    run 'echo "4. Harbour bar" >>left/notes/routes/north.md'
    run 'rm right/notes/tides.csv'
    run 'reconcile apply left right --on-conflict keep-both --yes'
    run 'reconcile verify left right'
    run 'reconcile status'
    printf '\nDone: both copies hold the same files; the old versions are kept below .reconcile/ in each.\n'
}

# given: the same on two directories of the user's.
given() {
    sides="$(quoted "$left") $(quoted "$right")"
    run "export PATH=$(quoted "$try/venv/bin"):\"\$PATH\" RECONCILE_STATE_DIR=$(quoted "$try/state")"
    if [ -z "$yes" ] && [ ! -t 0 ]; then
        run "reconcile diff $sides"
        printf '\nnothing was changed: nobody can be asked here; give --yes as the third argument\n'
        exit 64
    fi
    run "reconcile apply $sides $yes"
    run "reconcile verify $sides"
    printf '\nDone: %s and %s agree.\n' "$left" "$right"
}

case $# in
0) left='' ;;
2 | 3) [ -d "$1" ] || die "no directory \`$1\`"
    [ -d "$2" ] || die "no directory \`$2\`"
    [ "${3:---yes}" = --yes ] || die "the third argument can only be --yes, not \`$3\`"
    left=$(CDPATH='' cd -- "$1" && pwd -P) right=$(CDPATH='' cd -- "$2" && pwd -P) ;;
*) die "give two directories, or none for the example" ;;
esac
yes=${3:-}
mkdir -p "$try"
make_venv "$try/venv"
install_into "$try/venv" "$root" ''
if [ -n "$left" ]; then given; else example; fi
