"""`reconcile endpoint trust`: the keys a host shows, and pinning them.

A key is pinned only when somebody at the terminal said yes to its fingerprint, or
named the fingerprint beforehand. `--yes` alone names nothing, so it pins nothing.
"""

from collections.abc import Sequence

from reconcile.cli.asked import endpoint_asked
from reconcile.cli.columns import columns
from reconcile.cli.documents_json import HostKeyItem, HostKeysDocument
from reconcile.cli.face import Face
from reconcile.cli.prompt import ask
from reconcile.cli.words import counted
from reconcile.model.errors import Denied, ExitCode, NeedsApproval, UsageError
from reconcile.trees.ssh.failures import PROOF, REINSTALLED
from reconcile.trees.ssh.hostkeys import Standing, Target, fingerprint_at, pin, resolve, scan
from reconcile.trees.ssh.hostkeys import standings as standings_of
from reconcile.trees.ssh.place import SshPlace, parse_host
from reconcile.trees.ssh.program import OWN_CLIENT, client_of


def run(face: Face) -> int:
    """Show, ask, pin."""
    word = face.words[0]
    place = parse_host(endpoint_asked(face, word) if word.startswith("@") else word)
    client = client_of(face.env)
    ssh = None if client == OWN_CLIENT else client
    target = resolve(place, ssh)
    shown = standings_of(target, scan(place, target, ssh))
    chosen = _chosen(face, place, shown)
    _refuse_bad(face, target, chosen)
    if all(one.state == "known" for one in chosen):
        return _answer(face, target, shown, "")
    if not target.files:
        raise UsageError(
            "your ssh configuration names no known_hosts file to write",
            where="UserKnownHostsFile", hint="name one there",
        )  # fmt: skip
    if not _approved(face, target, shown, chosen):
        face.tell("not pinned: nothing was changed")
        return ExitCode.OK
    replace = face.flag("replace")
    wanted = [one.key for one in chosen if replace or one.state != "known"]
    return _answer(face, target, shown, pin(target, wanted, replace=replace), chosen)


def _chosen(face: Face, place: SshPlace, shown: Sequence[Standing]) -> Sequence[Standing]:
    """The keys whose fingerprints were named; all, when none was."""
    named = face.options.get("fingerprint", [])
    if not isinstance(named, list) or not named:
        return shown
    for fingerprint in named:
        if not fingerprint.startswith("SHA256:"):
            raise UsageError(
                f"`{fingerprint}` is no fingerprint",
                hint="it begins with SHA256:, as ssh-keygen -l",
            )
        if all(one.key.fingerprint != fingerprint for one in shown):
            raise Denied(
                f"{place.address} shows no key with the fingerprint {fingerprint}",
                where="\n".join(_line(one) for one in shown),
                hint="the fingerprint is of another server, or somebody is in between",
                code="E_HOSTKEY_CHANGED",
            )
    return tuple(one for one in shown if one.key.fingerprint in named)


def _refuse_bad(face: Face, target: Target, chosen: Sequence[Standing]) -> None:
    """Raises: Denied, for a revoked key, and for another key without --replace."""
    for one in chosen:
        if one.state == "revoked":
            raise Denied(
                f"{target.name} shows a host key that is marked as revoked",
                where=f"{_line(one)}   ({one.where})",
                hint="that key may be stolen; ask who runs the server",
                code="E_HOSTKEY_CHANGED",
            )
        if one.state == "changed" and not face.flag("replace"):
            file, _, number = one.where.rpartition(":")
            raise Denied(
                f"{target.name} presents a different SSH host key",
                where=f"{one.where}\nexpected  {fingerprint_at(file, int(number))}\n"
                f"got       {_line(one)}",
                hint=f"{REINSTALLED}\nif it matches:  add --replace",
                code="E_HOSTKEY_CHANGED",
            )


def _approved(
    face: Face, target: Target, shown: Sequence[Standing], chosen: Sequence[Standing]
) -> bool:
    """Raises: NeedsApproval, when nobody named a fingerprint and nobody can be asked."""
    if face.options.get("fingerprint"):
        return True
    if face.flag("yes") or not face.may_ask:
        raise NeedsApproval(
            "a host key is pinned when somebody has compared its fingerprint, and nobody has",
            where="\n".join(_line(one) for one in chosen),
            hint="compare with the server's own, then name it: --fingerprint SHA256:...",
        )
    for line in key_lines(target, shown):
        face.say(face.out.text(line))
    face.say("The network proves nothing. Compare with what the server says of itself:")
    face.say(f"  {PROOF}")
    count = counted(sum(one.state != "known" for one in chosen), "key")
    question = f"Pin {count} in {target.files[0]}? [y]es / [n]o: "
    return ask(face, question).lower() in ("y", "yes")


def key_lines(target: Target, shown: Sequence[Standing]) -> list[str]:
    """The keys as a table, with what was known of each."""
    rows = [
        (one.key.kind, one.key.fingerprint, one.state, f"({one.where})" if one.where else "")
        for one in shown
    ]
    table = columns(("KIND", "FINGERPRINT", "STATE", ""), rows)
    return [f"{target.name} shows:", *(f"  {line.rstrip()}" for line in table)]


def _answer(
    face: Face,
    target: Target,
    shown: Sequence[Standing],
    file: str,
    pinned: Sequence[Standing] = (),
) -> int:
    """`file` is where keys were written; empty: all were known."""
    if face.is_json:
        face.document(_document(target, shown, file, pinned))
    elif file and not face.quiet:
        face.say(f"Pinned {counted(len(pinned), 'key')} of {target.name} in {file}.")
    elif not face.quiet:
        for line in key_lines(target, shown):
            face.say(face.out.text(line))
        face.say("Nothing to pin: known already.")
    return ExitCode.OK


def _document(
    target: Target, shown: Sequence[Standing], file: str, pinned: Sequence[Standing]
) -> HostKeysDocument:
    replaced = any(one.state == "changed" for one in pinned)
    return HostKeysDocument(
        host=target.name,
        file=file,
        keys=[
            HostKeyItem(
                kind=one.key.kind,
                fingerprint=one.key.fingerprint,
                state=one.state,
                where=one.where,
                pinned=one in pinned or (one.state == "known" and not replaced),
            )
            for one in shown
        ],
    )


def _line(one: Standing) -> str:
    return f"{one.key.kind} {one.key.fingerprint}"
