"""SftpTree: a directory on a server that speaks SFTP, and need not speak anything else.

One connection, no threads; every operation keeps many requests on their way.
Looking is `scanning.py`, reading `supplying.py`, changing `staging.py` and
`carrying.py`; what a
server cannot promise is told as a note when a run begins.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from reconcile.decide.filters import compile_filter
from reconcile.model.block import HashName
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import Denied, ReconcileError, Unreachable, UsageError
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.model.statrow import COARSE_CLOCK_NS
from reconcile.model.treepath import ROOT, TreePath, order_key
from reconcile.trees.area import not_kept
from reconcile.trees.base import RunOptions, Supply, Tally
from reconcile.trees.looking import Look, Looking, Settings
from reconcile.trees.observe import Seen, Sink, noting
from reconcile.trees.quarantine import Leftover
from reconcile.trees.scan import Index
from reconcile.trees.sftp.area import Area
from reconcile.trees.sftp.batch import clear_leftover, stage, weaknesses
from reconcile.trees.sftp.carrying import carry_out
from reconcile.trees.sftp.channel import Channel
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.clock import DRIFT_NS, UNKNOWN_NS, lag_ns, skew_ns
from reconcile.trees.sftp.contents import Contents
from reconcile.trees.sftp.hashing import RemoteHasher
from reconcile.trees.sftp.links import Links
from reconcile.trees.sftp.lock import FarLock
from reconcile.trees.sftp.means import Means
from reconcile.trees.sftp.owning import troubles
from reconcile.trees.sftp.probing import tried
from reconcile.trees.sftp.pruning import prune
from reconcile.trees.sftp.quarantine import leftovers as far_leftovers
from reconcile.trees.sftp.root import FarRoot, find_root
from reconcile.trees.sftp.rows import SECOND_NS, BadListing
from reconcile.trees.sftp.scanning import Scan
from reconcile.trees.sftp.site import Site
from reconcile.trees.sftp.supplying import Ahead, read
from reconcile.trees.sftp.tokens import leave_token, token_at
from reconcile.trees.staging import needs_content
from reconcile.trees.tokens import no_token


class SftpTree:
    """One side on a server. See `trees/base.py` and `trees/remote.py` for the promises."""

    def __init__(
        self,
        open_channel: Callable[[], Channel],
        url: str,
        path: bytes,
        hasher: RemoteHasher | None = None,
        *,
        verify_limit_bytes: int | None = None,
        clock_lag_ns: int | None = None,
    ) -> None:
        """`path`: absolute, or relative to where a session begins. `hasher`: None where only
        SFTP is to be had. `verify_limit_bytes`: larger files are not read for their identity.
        `clock_lag_ns`: see `SessionOptions`."""
        self.url = url
        self._open_channel = open_channel
        self._path = path
        self._hasher = hasher
        self._verify_limit_bytes = verify_limit_bytes
        self._sftp: Sftp | None = None
        self._root: FarRoot | None = None
        self._lag_ns: int | None = None
        self._remembered_lag_ns = clock_lag_ns
        self.clock_lag_ns: int | None = None
        """See `RemoteTree.clock_lag_ns`."""
        self._notes: list[Problem] = []
        self._proven_before_ns = 0
        self._ahead: Ahead | None = None
        self._means: Means | None = None
        self._lock: FarLock | None = None
        self._staged: set[int] = set()

    @property
    def abilities(self) -> Abilities:
        """As far as looking says: times of 32 bits, and all that a POSIX directory can."""
        return Abilities(
            mtime_step_ns=SECOND_NS, least_mtime_ns=0, most_mtime_ns=(2**32 - 1) * SECOND_NS
        )

    def try_abilities(self) -> Abilities:
        """What the root can hold, tried in our own area; before a run writes there."""
        if any(each.severity == "error" for each in self.keeping_troubles(only_looks=True)):
            return self.abilities  # nothing is tried in what may be another account's
        return self.sftp.run(tried(self.sftp, self._found_root().location, self.abilities))

    @property
    def hash_names(self) -> tuple[HashName, ...]:
        """What the server can do comes first; by reading, both can be had."""
        able = self._hasher.hash_names if self._hasher is not None else ()
        rest: tuple[HashName, ...] = ("blake3", "sha256")
        return (*able, *(name for name in rest if name not in able))

    @property
    def skew_ns(self) -> int:
        """See `RemoteTree.skew_ns`."""
        return skew_ns(self._lag_ns)

    @property
    def root_identity(self) -> str:
        """See `RemoteTree.root_identity`."""
        self.connect()
        return self._found_root().identity

    @property
    def about(self) -> str:
        """See `RemoteTree.about`."""
        return "an SFTP server"

    @property
    def free_bytes(self) -> int | None:
        """See `RemoteTree.free_bytes`."""
        space = self.sftp.run(self.sftp.space(self._found_root().location or b"/"))
        return None if space is None else space.free_bytes

    def keeping_troubles(self, *, only_looks: bool) -> Sequence[Problem]:
        """See `RemoteTree.keeping_troubles`."""
        self.connect()
        root = self._found_root()
        site = Site(self.sftp, root.location, RunOptions(""), None)
        return self.sftp.run(troubles(site, root.found, only_looks=only_looks))

    @property
    def notes(self) -> Sequence[Problem]:
        """See `RemoteTree.notes`."""
        return self._notes

    @property
    def cursor(self) -> bytes:
        """Always empty: the server keeps no state."""
        return b""

    @property
    def sftp(self) -> Sftp:
        """The connection. Raises: ReconcileError, before `connect`."""
        if self._sftp is None:
            raise ReconcileError("the connection was not made", where=self.url)
        return self._sftp

    def connect(self) -> None:
        """See `RemoteTree.connect`."""
        if self._sftp is not None:
            return
        self._sftp = Sftp(self._open_channel(), self.url)
        self._sftp.start()
        self._root = self._sftp.run(find_root(self._sftp, self._path, self.url))
        self._lag_ns = self._sftp.run(lag_ns(self._sftp))
        self._notes += weaknesses(self._sftp)

    def start_look(self, want: Looking) -> None:
        """See `RemoteTree.start_look`: SFTP has nothing to start."""
        del want

    def look(
        self, want: Looking, index: Index | None, sink: Sink, progress: Callable[[Tally], None]
    ) -> Seen:
        """See `RemoteTree.look`. Compares with `index`; nothing unchanged is read."""
        self.connect()
        settings = self._settings(want)
        rules = settings.filter
        contents = Contents(
            self.sftp,
            settings.header.hash_name,
            self._hasher,
            text_only=rules is not None and rules.text_only,
            verify_limit_bytes=self._verify_limit_bytes,
        )
        racy_ns = settings.now_ns - self._doubt_ns()
        root = self._found_root()
        scan = Scan(
            self.sftp, root.location or b"/", settings, contents, index, sink, progress,
            racy_ns=racy_ns, trusted=want.trusted,
        )  # fmt: skip
        try:
            with noting(settings, root.identity):
                found = scan.run()
        except PermissionError as error:
            raise Denied("the root cannot be listed", where=self.url) from error
        except (OSError, BadListing) as error:
            raise Unreachable(f"the root cannot be listed: {error}", where=self.url) from error
        if contents.disbelieved:
            reason = "the server's own hasher sees other files than SFTP shows; files were read"
            self._notes.append(Problem(ROOT, None, "E_HASHER", reason, "note"))
            self._hasher = None
        self._proven_before_ns = racy_ns - COARSE_CLOCK_NS
        entry = Entry(b"", Kind.DIR, 0, 0, root.found.mode & 0o7777, found.id)
        return _seen(entry, scan.look, root.identity)

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `Tree.read`."""
        self.connect()
        return read(self.sftp, self._location(path), entry, offset)

    def fetch(self, steps: Sequence[Step]) -> None:
        """See `RemoteTree.fetch`: small files among the sources are read ahead."""
        self.connect()
        if self._ahead is None:
            self._ahead = Ahead(self.sftp, self._location)
        self._ahead.expect(steps)

    def whole(self, step: Step) -> bytes | None:
        """The content of a source that was read ahead, unverified; None: there is none."""
        return self._ahead.take(step) if self._ahead is not None else None

    def token(self, token_id: str) -> bytes | None:
        """See `Tree.token`."""
        self.connect()
        return self.sftp.run(token_at(self.sftp, self._found_root().location, token_id))

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.begin`."""
        self.connect()
        site = Site(self.sftp, self._found_root().location, options, self._hasher)
        site.proven_before_ns = self._proven_before_ns
        area = Area(site, self._found_root().found)
        lock = FarLock(site, area, self.url, self._lag_ns)
        run = self.sftp.run
        notes = [run(lock.take(options.run))]
        self._means, self._lock = Means(site, area, Links(site, area)), lock
        site.renew = lock.renew
        self._check_area(area, options)
        self._staged.clear()
        stamp = run(lock.stamp())
        if stamp is not None:
            site.clock_ns = stamp.mtime_s * SECOND_NS
            if self._lag_ns is None:
                self.clock_lag_ns = site.clock_ns - time.time_ns()
        works = (clear_leftover(site, area, path) for path in leftovers)
        notes += self.sftp.run_all(works)
        notes += area.notes if options.versions else ()
        if options.token:
            notes.append(self._left_token(site, area, options.token))
        return [note for note in notes if note is not None]

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `Tree.stage`."""
        means = self._begun()
        receipts = stage(means.site, means.area, steps, supply)
        failed = {receipt.step for receipt in receipts}
        self._staged.update(s.id for s in steps if needs_content(s) and s.id not in failed)
        return receipts

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `Tree.carry_out`."""
        receipts = carry_out(self._begun(), steps, self._staged)
        self._staged.difference_update(step.id for step in steps)
        return receipts

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.prune`."""
        return prune(self._begun().site, places)

    def quarantined(self) -> Sequence[Leftover]:
        """What interrupted runs left there."""
        self.connect()
        lag_ns = self._lag_ns or self._remembered_lag_ns or 0
        return list(far_leftovers(self.sftp, self._found_root().location, lag_ns))

    def end(self) -> None:
        """See `Tree.end`."""
        lock, self._lock, self._means = self._lock, None, None
        if lock is None:
            return
        if self._sftp is None or self._sftp.is_broken:
            lock.abandon()
        else:
            self._sftp.run(lock.release())

    def close(self) -> None:
        """See `Tree.close`."""
        self.end()
        if self._sftp is not None:
            self._sftp.close()
            self._sftp = None

    def _begun(self) -> Means:
        if self._means is None:
            raise ReconcileError("the run was not begun on this side", where=self.url)
        if self._lock is not None:
            self.sftp.run(self._lock.renew())
        self._means.area.forget()
        return self._means

    def _left_token(self, site: Site, area: Area, token: bytes) -> Problem | None:
        try:
            self.sftp.run(leave_token(site, area, token))
        except OSError as error:
            return no_token(error.strerror or str(error))
        return None

    def _check_area(self, area: Area, options: RunOptions) -> None:
        """Raises: Denied, before anything is written, where what is superseded cannot be kept."""
        if not options.versions:
            return
        try:
            self.sftp.run(area.check())
        except OSError as error:
            self.end()
            raise not_kept(error, self.url) from error

    def _location(self, path: TreePath) -> bytes:
        return self._found_root().location + b"/" + path

    def _settings(self, want: Looking) -> Settings:
        """As asked, by the server's clock. Raises: UsageError, for what SFTP cannot see."""
        settings = want.settings
        if settings.header.tracked.xattr:
            raise UsageError(
                "extended attributes cannot be seen over SFTP",
                where=self.url,
                hint="leave `xattr` out of `--meta`, or use the agent (ssh://)",
                code="E_UNSUPPORTED",
            )
        return msgspec.structs.replace(
            settings,
            filter=settings.filter or compile_filter(want.spec),
            now_ns=settings.now_ns + (self._lag_ns or self._remembered_lag_ns or 0),
        )

    def _doubt_ns(self) -> int:
        """How far the server's clock may be behind the time a look begins at by what is known."""
        if self._lag_ns is not None:
            return 0
        return UNKNOWN_NS if self._remembered_lag_ns is None else DRIFT_NS

    def _found_root(self) -> FarRoot:
        assert self._root is not None
        return self._root


def _seen(root: Entry, look: Look, identity: str) -> Seen:
    return Seen(
        root,
        tuple(sorted(look.problems, key=lambda problem: order_key(problem.path))),
        tuple(sorted(look.listing.leftovers, key=order_key)),
        identity,
        look.tally,
    )
