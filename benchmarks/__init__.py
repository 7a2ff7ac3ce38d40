"""Benchmarks: reconcile and its peers in turn, in one run, as whole processes.

`python -m benchmarks.run --help`, or `just bench`. Standard library only; needs
rsync, b3sum, and for some rows rclone, unison and root (loop file systems).
"""
