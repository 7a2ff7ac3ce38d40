"""The agent as one file, for a far side that has Python and nothing of ours."""
