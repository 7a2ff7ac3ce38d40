"""SSH: a place on another machine, and the child process that talks to it."""
