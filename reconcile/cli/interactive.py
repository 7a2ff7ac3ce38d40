"""Deciding conflicts one by one: which key does what. Knows no terminal.

The table of keys is the help text as well. What was decided so far is never
lost: neither `q` nor Ctrl-C ends the answers, only the asking.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from reconcile.decide.chosen import Choice
from reconcile.engine.resolving import Decided
from reconcile.model.plan import Conflict

_KEYS = {
    "a": Choice.LEFT,
    "l": Choice.LEFT,
    "b": Choice.RIGHT,
    "r": Choice.RIGHT,
    "k": Choice.BOTH,
    "m": Choice.MERGE,
    "o": Choice.BASE,
}
_ALWAYS = (Choice.LEFT, Choice.RIGHT, Choice.BOTH)
HELP = (
    "a or l   keep left, as it is, a deletion too",
    "b or r   keep right",
    "k        keep both: one keeps the name (--keep-name), the other is copied beside it",
    "m        merge: both sides' changes, where they do not meet",
    "o        both sides go back to what they last agreed on",
    "e        edit both texts in $VISUAL or $EDITOR, and take the result",
    "d        all differences, in $PAGER",
    "s        skip: it stays a conflict",
    "A B K M O   the same answer for this one and the rest",
    "u        back to the one before",
    "q        stop asking; what was decided so far is shown and can be applied",
    "Ctrl-C   stop and change nothing; what was decided so far is kept for the next time",
)


class Offer(NamedTuple):
    """What can be answered to one conflict."""

    merges: bool | None = None
    """Cleanly; False: not cleanly; None: there is nothing to merge."""
    has_base: bool = False
    has_texts: bool = False
    has_lines: bool = False
    """There are differences to show."""
    no_merge: str = ""
    """Why there is nothing to merge."""

    def why_not(self, choice: Choice) -> str:
        """Empty: it can be answered so."""
        if choice in _ALWAYS:
            return ""
        if choice is Choice.BASE:
            return "" if self.has_base else "the base's content is not kept, or there was none"
        if self.merges is None:
            return f"cannot merge: {self.no_merge}"
        return "" if self.merges else "the changes do not merge cleanly: e edits them, with markers"


def key_words(conflict: Conflict, offer: Offer, is_first: bool) -> list[str]:
    """The keys that do something here, each with its word."""
    words = [
        f"{key} keep {side}" + (" (delete)" if entry is None else "")
        for key, side, entry in (("a", "left", conflict.left), ("b", "right", conflict.right))
    ]
    if conflict.kind != "meta" and None not in (conflict.left, conflict.right):
        words.append("k keep both")
    if offer.merges is not None:
        words.append("m merge (clean)" if offer.merges else "m merge (not clean)")
    if offer.has_base:
        words.append("o restore base")
    if offer.has_texts:
        words.append("e edit")
    if offer.has_lines:
        words.append("d full diff")
    words += ["s skip", "A/B same answer for the rest"]
    words += [] if is_first else ["u back"]
    return [*words, "q stop", "? help"]


class Screen(Protocol):
    """The terminal, as far as the asking needs it."""

    def show(self, place: int, total: int, conflict: Conflict) -> Offer:
        """One conflict on one screen; what can be answered."""

    def offer(self, conflict: Conflict) -> Offer:
        """What can be answered, without showing anything."""

    def key(self) -> str:
        """The next key; empty at the end."""

    def say(self, text: str) -> None:
        """One line about what a key did."""

    def answered(self, conflict: Conflict, choice: Choice | None) -> None:
        """What the answer means; None: skipped."""

    def edit(self, conflict: Conflict) -> bytes | str:
        """What an editor made of both texts; or why it is not taken."""

    def page(self, conflict: Conflict) -> None:
        """All differences."""


class Asking:
    """One round of questions."""

    def __init__(
        self,
        conflicts: Sequence[Conflict],
        screen: Screen,
        kept: Sequence[Decided] = (),
        keep: Callable[[Sequence[Decided]], None] | None = None,
    ) -> None:
        """`kept`: answers of an earlier round, not asked for again. `keep` hears of each."""
        self._conflicts = conflicts
        self._screen = screen
        self._keep = keep
        answers = {each.conflict.id: each for each in kept}
        self._decided = {
            place: answers[conflict.id]
            for place, conflict in enumerate(conflicts)
            if conflict.id in answers
        }
        self._passed = set(self._decided)
        """Places that are answered and not asked about."""
        self._rest: Choice | None = None
        self.was_stopped = False
        """Somebody said that this is enough."""

    def ask(self) -> list[Decided]:
        """Every answer that was given, in the conflicts' order."""
        place = 0
        while 0 <= place < len(self._conflicts):
            following = self._follow(place)
            if following is None:
                following = self._question(place)
            if following is None:
                break
            place = following
            if self._keep is not None:
                self._keep(self._answers())
        return self._answers()

    def _answers(self) -> list[Decided]:
        return [self._decided[place] for place in sorted(self._decided)]

    def _follow(self, place: int) -> int | None:
        """The same answer as before, where it was given for the rest and can be."""
        conflict, choice = self._conflicts[place], self._rest
        if place in self._passed:
            return place + 1
        if choice is None:
            return None
        if choice not in _ALWAYS and self._screen.offer(conflict).why_not(choice):
            return None
        self._decided[place] = Decided(conflict, choice)
        return place + 1

    def _question(self, place: int) -> int | None:
        """Ask about one; the place to go on at, None: stop."""
        conflict = self._conflicts[place]
        offer = self._screen.show(place, len(self._conflicts), conflict)
        while True:
            key = self._screen.key()
            if key in ("", "q", "Q"):
                self.was_stopped = True
                return None
            if key == "u":
                if place:
                    self._rest = None
                    self._decided.pop(place - 1, None)
                    self._passed.discard(place - 1)
                    return place - 1
                self._screen.say("this is the first one")
            elif key == "s":
                self._decided.pop(place, None)
                self._screen.answered(conflict, None)
                return place + 1
            elif self._takes(place, key, offer):
                return place + 1

    def _takes(self, place: int, key: str, offer: Offer) -> bool:
        """The key answers; else it did something, or said why it cannot."""
        conflict = self._conflicts[place]
        choice = _KEYS.get(key.lower())
        if choice is not None:
            return self._choose(place, choice, offer, for_rest=key.isupper())
        if key in ("e", "E"):
            return self._edit(place, offer)
        if key in ("d", "D"):
            self._screen.page(conflict)
        elif key in ("?", "h"):
            for line in HELP:
                self._screen.say(line)
        elif key not in ("\n", "\r"):
            self._screen.say("no such key: ? lists them")
        return False

    def _choose(self, place: int, choice: Choice, offer: Offer, *, for_rest: bool) -> bool:
        refusal = offer.why_not(choice)
        if refusal:
            self._screen.say(refusal)
            return False
        self._decided[place] = Decided(self._conflicts[place], choice)
        if for_rest:
            self._rest = choice
        self._screen.answered(self._conflicts[place], choice)
        return True

    def _edit(self, place: int, offer: Offer) -> bool:
        conflict = self._conflicts[place]
        if not offer.has_texts:
            self._screen.say("there are no two texts to edit")
            return False
        content = self._screen.edit(conflict)
        if isinstance(content, str):
            self._screen.say(content)
            return False
        self._decided[place] = Decided(conflict, Choice.CONTENT, content)
        self._screen.answered(conflict, Choice.CONTENT)
        return True
