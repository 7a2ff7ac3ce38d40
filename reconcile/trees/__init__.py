"""Floor 3: the world as trees. What touches a disk lives here."""
