#!/bin/sh
# Lower-case the names given.
set -eu
for name in "$@"; do
    mv -n -- "$name" "$(printf %s "$name" | tr '[:upper:]' '[:lower:]')"
done
