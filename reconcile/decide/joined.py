"""Joined: which things belong together. It does not know what they are."""


class Joined:
    """Sets, joined pair by pair; whoever was never joined is a set of its own."""

    def __init__(self) -> None:
        self._leaders: dict[object, object] = {}

    def of(self, member: object) -> object:
        """The one that stands for the member's set."""
        leader = member
        while (above := self._leaders.get(leader, leader)) != leader:
            leader = above
        while (above := self._leaders.get(member, leader)) != leader:
            self._leaders[member] = leader
            member = above
        return leader

    def join(self, one: object, other: object) -> None:
        """They are of one set."""
        self._leaders.setdefault(one, one)
        self._leaders.setdefault(other, other)
        self._leaders[self.of(other)] = self.of(one)
