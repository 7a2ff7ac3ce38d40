"""What a name holds after a step, looked at: a receipt says what is so, not what was wanted."""

import os

from reconcile.model.entry import Entry, Kind, Pair
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.trees.reading import xattr_digest
from reconcile.trees.receipts import done
from reconcile.trees.site import Site, Spot


def done_as_found(
    site: Site,
    step: Step,
    spot: Spot,
    status: "os.stat_result | None",
    *,
    vouched: bool = True,
    version: bytes = b"",
) -> Receipt:
    """Done, with the metadata that the name has by `status`, just looked at (None: it is gone).

    `vouched`: the content is the wanted one as surely as `status` tells of it.
    """
    want = step.want
    assert want is not None
    extra = want.extra if status is None else _extra(site, spot, want, status)
    return done(step, spot.leaf, status, version, vouched=vouched, extra=extra)


def _extra(site: Site, spot: Spot, want: Entry, status: os.stat_result) -> tuple[Pair, ...]:
    header = site.options.header
    tracked = header.tracked
    if want.kind == Kind.LINK or not (tracked.owner or tracked.xattr):
        return want.extra
    pairs = [pair for pair in want.extra if pair[0] not in ("owner", "xattr")]
    if tracked.owner:
        pairs.append(("owner", b"%d:%d" % (status.st_uid, status.st_gid)))
    if tracked.xattr:
        try:
            found = xattr_digest(spot.leaf, spot.dir_fd, header.hash_name)
        except OSError:
            found = dict(want.extra).get("xattr", b"")  # not to be looked at: the next scan says
        pairs.append(("xattr", found))
    return tuple(sorted(pairs))
