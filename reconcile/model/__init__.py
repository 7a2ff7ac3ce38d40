"""Floor 1: the words of this program and the documents made of them. Pure: no disk, no clock."""
