"""Kinds of sides that stories are told over: what each cannot hold."""

from typing import NamedTuple

from reconcile.model.policy import Abilities


class SideKind(NamedTuple):
    """One kind."""

    name: str
    abilities: Abilities
    composes: bool = False
    """Names are kept in NFC, however they were given."""


KINDS = (
    SideKind("posix", Abilities()),
    SideKind("folding", Abilities(folds_case=True, folds_unicode=True)),
    SideKind("composing", Abilities(folds_unicode=True), composes=True),
    SideKind("mode-less", Abilities(modes=False)),
    SideKind("xattr-less", Abilities(xattrs=False)),
    SideKind("link-less", Abilities(links=False)),
    SideKind("two-second", Abilities(mtime_step_ns=2_000_000_000)),
)
