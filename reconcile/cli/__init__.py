"""Floor 5: the command line. Parses, calls, renders."""
