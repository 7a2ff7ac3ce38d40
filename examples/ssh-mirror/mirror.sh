#!/bin/sh
# Make a directory on a server equal to one of ours, over SSH. One run; a timer repeats it.
#
#   mirror.sh [SETTINGS] [OPTION...]      SETTINGS: a file like mirror.env, which is the default
#   mirror.sh mirror.env --look           what would be done; nothing is written
#
# A run that was cut off is finished by the next one; what arrived is not sent again.
# What is overwritten or deleted on the server is kept there, below .reconcile/.
# Exit code: docs/exit-codes.md. 5 means that a guard has stopped the run before its first change
# (far too much would be deleted, or LEFT is suddenly empty): look, then run it by hand with the
# option that the message names.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
settings=${1:-$here/mirror.env}
[ $# -eq 0 ] || shift
case $settings in
*/*) ;;
*) settings=./$settings ;;
esac
. "$settings"

if [ "${1:-}" = --look ]; then
    shift
    exec reconcile diff "$LEFT" "$RIGHT" --mode mirror "$@"
fi
exec reconcile apply "$LEFT" "$RIGHT" --mode mirror --yes "$@"
