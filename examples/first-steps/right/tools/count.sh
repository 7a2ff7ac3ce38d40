#!/bin/sh
# Count the files below the current directory.
set -eu
find . -type f | wc -l
