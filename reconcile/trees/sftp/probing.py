"""Probing over SFTP: what the root can hold, tried in our own area, of which nothing stays.

The protocol says nothing of the file system behind it. What is tried is what
`trees/probing.py` tries here, as far as SFTP can ask it. Some forty requests,
most of them side by side, once for a root that a run is about to write to.
"""

import secrets
import unicodedata

from msgspec.structs import replace

from reconcile.model.policy import Abilities
from reconcile.trees.abilities import swapped
from reconcile.trees.probing import LAST_SUSPECTS, NAME, RESERVED, SUSPECTS, controls
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.packets import CREATE, EXCLUSIVE, WRITE, Ask, text
from reconcile.trees.sftp.rows import SECOND_NS, BadListing, list_directory
from reconcile.trees.sftp.site import LINK
from reconcile.trees.temporary import AREA

_ODD_S = 1_700_000_001


async def tried(sftp: Sftp, root: bytes, known: Abilities) -> Abilities:
    """`known`, corrected by what really happens; `known` itself, where nothing can be made."""
    area = root + b"/" + AREA
    is_new = await _done(sftp, Ask.MKDIR, text(area) + packets.attributes(mode=0o700))
    place = area + b"/probe-" + secrets.token_hex(8).encode()
    try:
        if not await _done(sftp, Ask.MKDIR, text(place) + packets.attributes(mode=0o700)):
            return known
        try:
            return await _Probe(sftp, place, known).run()
        except (OSError, BadListing):
            return known
        finally:
            await _clear(sftp, place)
    finally:
        if is_new:
            await _done(sftp, Ask.RMDIR, text(area))


async def _clear(sftp: Sftp, place: bytes) -> None:
    try:
        names = [row[0] for row in await list_directory(sftp, place)]
    except (OSError, BadListing):
        names = []
    await sftp.together(_done(sftp, Ask.REMOVE, text(place + b"/" + name)) for name in names)
    await _done(sftp, Ask.RMDIR, text(place))


async def _done(sftp: Sftp, ask: Ask, body: bytes) -> bool:
    """Whether a request that changes something was carried out."""
    try:
        await sftp.done(sftp.ask(ask, body))
    except OSError:
        return False
    return True


class _Probe:
    """Questions put to one empty directory of the server."""

    def __init__(self, sftp: Sftp, place: bytes, known: Abilities) -> None:
        self._sftp = sftp
        self._place = place
        self._known = known

    async def run(self) -> Abilities:
        """Everything that can be tried. Raises: OSError, BadListing."""
        if not await self._make(NAME):
            return self._known
        composed = unicodedata.normalize("NFD", NAME.decode()).encode()
        folds_case = await self._is_there(swapped(NAME))
        folds_unicode = await self._is_there(composed)
        odd = {f"a{c}b".encode(): c for c in SUSPECTS}
        last = {f"a{c}".encode(): c for c in LAST_SUSPECTS}
        await self._sftp.together(self._make(name) for name in (*odd, *last, *RESERVED, b"a\xff"))
        listed = {row[0] for row in await list_directory(self._sftp, self._place)}
        return replace(
            self._known,
            folds_case=folds_case,
            folds_unicode=folds_unicode,
            text_names=b"a\xff" not in listed,
            forbidden=controls("".join(c for name, c in odd.items() if name not in listed)),
            forbidden_last="".join(c for name, c in last.items() if name not in listed),
            reserved_names=not listed.issuperset(RESERVED),
            modes=await self._keeps_modes(),
            links=await self._makes_links(),
            hard_links=await self._makes_hard_links(),
            mtime_step_ns=await self._step_ns(),
            tried=True,
        )

    def _at(self, name: bytes) -> bytes:
        return self._place + b"/" + name

    async def _make(self, name: bytes) -> bool:
        try:
            handle = await self._sftp.open(self._at(name), WRITE | CREATE | EXCLUSIVE, 0o600)
            await self._sftp.done(self._sftp.release(handle))
        except OSError:
            return False
        return True

    async def _is_there(self, name: bytes) -> bool:
        return await self._sftp.lstat(self._at(name)) is not None

    async def _keeps_modes(self) -> bool:
        for mode in (0o700, 0o640):
            body = text(self._at(NAME)) + packets.attributes(mode=mode)
            if not await _done(self._sftp, Ask.SETSTAT, body):
                return False
            found = await self._sftp.lstat(self._at(NAME))
            if found is None or found.mode & 0o777 != mode:
                return False
        return True

    async def _makes_links(self) -> bool:
        """Both names lie here: which of them becomes the link is for `links.py` to know."""
        return await _done(
            self._sftp, Ask.SYMLINK, text(self._at(b"link-1")) + text(self._at(b"link-2"))
        )

    async def _makes_hard_links(self) -> bool:
        if not self._sftp.offers(LINK):
            return False
        body = text(self._at(NAME)) + text(self._at(b"second"))
        try:
            await self._sftp.done(self._sftp.extended(LINK, body))
        except OSError:
            return False
        return True

    async def _step_ns(self) -> int:
        body = text(self._at(NAME)) + packets.attributes(mtime_ns=_ODD_S * SECOND_NS)
        if not await _done(self._sftp, Ask.SETSTAT, body):
            return self._known.mtime_step_ns
        found = await self._sftp.lstat(self._at(NAME))
        kept = found is not None and found.mtime_s == _ODD_S
        return self._known.mtime_step_ns if kept else 2 * SECOND_NS
