"""Floor 4: the cycle. Calls the floors below in order; owns no rule."""
