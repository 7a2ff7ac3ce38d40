"""File systems: what a kind of them is known to hold. Facts from its documentation, no looking.

What is not listed is not known: whoever asks must look or try. Sources:
linux/Documentation/filesystems, the exFAT specification (Microsoft, 2019, §6.3, §7.4, §7.7),
ntfs-3g(8), mount(8).
"""

from msgspec.structs import replace

from reconcile.model.policy import Abilities

SECOND_NS = 10**9
_DAY_NS = 86_400 * SECOND_NS
_POSIX = (
    *("bcachefs", "btrfs", "ceph", "erofs", "ext4", "f2fs", "iso9660", "jfs", "nilfs2"),
    *("overlay", "ramfs", "reiserfs", "rootfs", "squashfs", "tmpfs", "ubifs", "ufs", "xfs", "zfs"),
)
"""Names are bytes, metadata are kept; extended attributes are asked for apart."""
_SINCE_1901 = Abilities(least_mtime_ns=-(2**31) * SECOND_NS)
"""Of ext4 and XFS the last year depends on how they were made (2038; 2446, 2486): not known."""
_CONTROLS = "".join(map(chr, range(1, 32)))
_DOS = '"*:<>?\\|' + _CONTROLS
_FAT = Abilities(
    links=False,
    modes=False,
    folds_case=True,
    text_names=True,
    forbidden=_DOS,
    max_file_bytes=2**32 - 1,
    mtime_step_ns=2 * SECOND_NS,
    owners=False,
    xattrs=False,
    hard_links=False,
    exchange=False,
    forbidden_last=". ",
    least_mtime_ns=315_532_800 * SECOND_NS + _DAY_NS,
    most_mtime_ns=4_354_819_200 * SECOND_NS - _DAY_NS,
)
"""1980 to 2107 in local time, so a day less on both ends."""
_HFS_PLUS = Abilities(
    folds_case=True,
    folds_unicode=True,
    text_names=True,
    mtime_step_ns=SECOND_NS,
    least_mtime_ns=0,
    most_mtime_ns=2_212_122_495 * SECOND_NS,
    exchange=False,
)
_KNOWN = {
    **dict.fromkeys(_POSIX, Abilities()),
    **dict.fromkeys(("ext2", "ext3", "ext4", "xfs"), _SINCE_1901),
    "vfat": _FAT,
    "msdos": replace(_FAT, max_name_bytes=12),
    "exfat": replace(_FAT, max_file_bytes=0, forbidden_last=".", mtime_step_ns=10**7),
    "fuse.exfat": replace(_FAT, max_file_bytes=0, forbidden_last="", mtime_step_ns=SECOND_NS),
    "hfsplus": _HFS_PLUS,
}
_NTFS = Abilities(text_names=True, mtime_step_ns=100)
_IN_PART = dict.fromkeys(("fuse.ntfs", "ntfs", "ntfs3"), _NTFS)
"""Modes, owners and case depend on the disk's own tables and on how it was mounted."""
_CASELESS_OPTIONS = frozenset({"nocase", "case=insensitive", "casesensitive=off"})


def known_by_kind(kind: str, options: frozenset[str] = frozenset()) -> Abilities | None:
    """What a file system of this kind, mounted so, can hold; None: that is not known."""
    known = _KNOWN.get(kind)
    if known is None:
        return None
    if options & _CASELESS_OPTIONS:
        known = replace(known, folds_case=True)
    return replace(known, file_system=kind)


def known_in_part(kind: str) -> Abilities:
    """What is so of every file system of this kind; the rest must be looked at or tried."""
    return replace(_IN_PART.get(kind, Abilities()), file_system=kind)
