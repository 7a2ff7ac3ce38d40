"""The far side's program: a `LocalTree` and its index, served over one byte stream."""
