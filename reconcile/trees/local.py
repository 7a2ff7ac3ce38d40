"""LocalTree: a directory of this machine.

Reading goes through `rooted`, content is staged by `staging`, steps are done by
`steps`. What is there is observed by the function given to it: `observe.py`.
"""

import os
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from reconcile.model.entry import Entry
from reconcile.model.errors import Denied, PathRefused, ReconcileError, RootMissing
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath, split
from reconcile.trees.abilities import is_certain, looked_at
from reconcile.trees.area import AreaTop, not_kept
from reconcile.trees.base import ContentChanged, Observation, RunOptions, Supply, Tally
from reconcile.trees.copying import BLOCK
from reconcile.trees.crew import Crew
from reconcile.trees.locking import RootLock, lock, refuse_above
from reconcile.trees.obstacles import Obstacle, obstacles
from reconcile.trees.probing import tried
from reconcile.trees.pruning import prune
from reconcile.trees.publish import narrow
from reconcile.trees.quarantine import Leftover, leftovers
from reconcile.trees.receipts import error_code, failed
from reconcile.trees.rooted import Root
from reconcile.trees.site import Site, Spot, open_site
from reconcile.trees.staging import needs_content, put_away, stage_step
from reconcile.trees.steps import carry_out_step, in_order
from reconcile.trees.survey import Need, part_digest, survey
from reconcile.trees.syscalls import SYSTEM, System
from reconcile.trees.temporary import temp_name
from reconcile.trees.tokens import leave_token, no_token, token_at

WORKERS = 2
"""Processes that help with many small files."""
Observer = Callable[[Callable[[Tally], None]], Observation]


class LocalTree:
    """One side on this machine. See `trees/base.py` for what each operation promises."""

    def __init__(
        self,
        location: bytes,
        observer: Observer | None = None,
        system: System = SYSTEM,
        workers: int = WORKERS,
    ) -> None:
        self.location = location
        self._observer = observer
        self._system = system
        self._open_root: Root | None = None
        self._workers = workers
        self._site: Site | None = None
        self._lock: RootLock | None = None
        self._crew: Crew | None = None
        self._staged: set[int] = set()
        self._abilities: Abilities | None = None

    @property
    def url(self) -> str:
        """The directory, as text."""
        return self.location.decode("utf-8", "backslashreplace")

    @property
    def abilities(self) -> Abilities:
        """What the directory can hold: found out by looking, once. Raises: RootMissing, Denied."""
        if self._abilities is None:
            self._abilities = replace(looked_at(self.root.fd), writable=self._is_writable())
        return self._abilities

    def try_abilities(self) -> Abilities:
        """The same, tried in our own area where looking does not tell: for who will write here."""
        found = self.abilities
        if found.writable and not is_certain(found):
            self._abilities = tried(self.root.fd, found)
        return self.abilities

    def obstacles(self, steps: Sequence[Step]) -> dict[TreePath, Obstacle]:
        """What stands in the way of the steps, by the name; nothing is written."""
        return obstacles(self.root, steps)

    def _is_writable(self) -> bool:
        return os.access(self.location, os.W_OK)

    @property
    def root(self) -> Root:
        """The root, open. Raises: RootMissing, Denied."""
        if self._open_root is None:
            try:
                self._open_root = Root(self.location)
            except (FileNotFoundError, NotADirectoryError) as error:
                message = "there is no such directory"
                raise RootMissing(message, where=self.url) from error
            except PermissionError as error:
                raise Denied("the root cannot be opened", where=self.url) from error
        return self._open_root

    def observe(self, progress: Callable[[Tally], None]) -> Observation:
        """See `Tree.observe`."""
        if self._observer is None:
            raise ReconcileError("this tree was opened without an observer", where=self.url)
        return self._observer(progress)

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `Tree.read`."""
        try:
            fd = self.root.open_file(path)
        except PathRefused as error:
            raise ContentChanged from error
        try:
            before = os.fstat(fd)
            while data := os.pread(fd, BLOCK, offset):
                offset += len(data)
                yield data
            after = os.fstat(fd)
        finally:
            os.close(fd)
        marks = [(s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in (before, after)]
        if marks[0] != marks[1] or offset != entry.size:
            raise ContentChanged

    def token(self, token_id: str) -> bytes | None:
        """See `Tree.token`."""
        return token_at(self.root.fd, token_id)

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.begin`."""
        self._let_go()
        site = open_site(self.root, self._system, options)
        self._lock, note = lock(self.root.fd, self.url, options.run, site.keeper.open_area)
        self._site = site
        self._check_area(self._site)
        self._crew = Crew(self._site, self._workers)
        self._staged.clear()
        notes = [] if note is None else [note]
        for path in leftovers:
            problem = self._quarantine(self._site, path)
            if problem is not None:
                notes.append(problem)
        if leftovers:
            self._site.flusher.flush_directories()
        if options.token:
            notes += self._left_token(self._site, options.token)
        return notes

    def survey(self, steps: Sequence[Step], most_part_bytes: int) -> list[Need]:
        """What a call of `stage` will ask for, without changing anything; see `survey.py`."""
        site, _ = self._begun()
        return survey(site, [step for step in steps if needs_content(step)], most_part_bytes)

    def part_digest(self, step: Step, size_bytes: int) -> bytes:
        """The content id of a part that `survey` told of; empty: it is another one now."""
        return part_digest(self._begun()[0], step, size_bytes)

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `Tree.stage`."""
        site, crew = self._begun()
        wanting = [step for step in steps if needs_content(step)]
        flush = site.flusher.each_file(len(wanting))
        plain = crew.stage(wanting, supply, flush=flush)
        staged = set(plain)
        receipts = []
        for step in wanting:
            if step.id in plain:
                continue
            self.renew()
            receipt = stage_step(site, step, supply, flush)
            if receipt is None:
                staged.add(step.id)
            else:
                receipts.append(receipt)
        if staged and not flush:
            durable = [step for step in wanting if step.id in staged]
            try:
                site.flusher.flush_files({split(step.at)[0] for step in durable})
            except OSError as error:
                return [*receipts, *(failed(step, error) for step in durable)]
        crew.accept(plain)
        self._staged |= staged
        return receipts

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `Tree.carry_out`."""
        site, crew = self._begun()
        here = {step.id for step in steps}
        published = crew.publish([s for s in steps if not s.needs or here.isdisjoint(s.needs)])

        def act(step: Step) -> Receipt:
            return published.get(step.id) or carry_out_step(site, step, step.id in self._staged)

        receipts = in_order(steps, act)
        self._staged.difference_update(step.id for step in steps)
        try:
            site.flusher.flush_directories()
        except OSError as error:
            return [failed(step, error) for step in steps]
        return receipts

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.prune`."""
        return prune(self._begun()[0], places)

    def quarantined(self) -> Sequence[Leftover]:
        """What interrupted runs left here. Raises: RootMissing, Denied."""
        return list(leftovers(self.root))

    def end(self) -> None:
        """See `Tree.end`."""
        if self._site is not None:
            narrow(self._site)
            self._site.keeper.forget()
            self._site = None
            self.root.forget()
            if self._crew is not None:
                self._crew.close()
            self._let_go()

    def close(self) -> None:
        """See `Tree.close`."""
        self.end()
        if self._open_root is not None:
            self._open_root.close()
            self._open_root = None

    def renew(self) -> None:
        """Tell others that the run which holds the root goes on. Raises: Locked."""
        if self._lock is not None:
            self._lock.renew()

    def refuse_locks_above(self) -> None:
        """Raises: Locked, when a run writes to a root that this one lies in."""
        refuse_above(self.root.fd, self.url)

    def _let_go(self) -> None:
        held, self._lock = self._lock, None
        if held is not None:
            held.release()

    def _begun(self) -> tuple[Site, Crew]:
        """What `begin` prepared, with no directory held from an earlier batch."""
        if self._site is None or self._crew is None:
            raise ReconcileError("the run was not begun on this side", where=self.url)
        self.renew()
        self._site.root.forget()
        self._site.keeper.forget()
        return self._site, self._crew

    def _left_token(self, site: Site, token: bytes) -> list[Problem]:
        try:
            leave_token(AreaTop(site.root.fd, site.system), site.system, site.flusher, token)
        except OSError as error:
            return [no_token(error.strerror or str(error))]
        return []

    def _check_area(self, site: Site) -> None:
        """Raises: Denied, before anything is written, where what is superseded cannot be kept."""
        if not site.options.versions:
            return
        try:
            site.keeper.check()
        except OSError as error:
            self.end()
            raise not_kept(error, self.url) from error

    def _quarantine(self, site: Site, path: TreePath) -> Problem | None:
        parent, leaf = split(path)
        try:
            spot = Spot(site.root.directory(parent), leaf, temp_name(b"", path), parent, path)
            put_away(site, spot, leaf)
        except FileNotFoundError:
            return None
        except (OSError, PathRefused) as error:
            code = error_code(error) if isinstance(error, OSError) else error.code
            return Problem(path, None, code, f"a leftover could not be put away: {error}", "note")
        site.flusher.touch(parent)
        return None
