"""Other programs' dialects: bytes to words and back, no socket in sight."""
