"""`reconcile endpoint trust`: the keys a host shows, and pinning them.

A key is pinned only when somebody at the terminal said yes to its fingerprint, or
named the fingerprint beforehand. `--yes` alone names nothing, so it pins nothing.
"""

from collections.abc import Sequence

from reconcile.cli.asked import endpoint_asked
from reconcile.cli.columns import columns
from reconcile.cli.documents_json import HostKeyItem, HostKeysDocument
from reconcile.cli.face import Face
from reconcile.cli.prompt import confirmed
from reconcile.cli.words import counted
from reconcile.engine.trusting import Host, check_file, chosen, key_text, look_at, pin_keys
from reconcile.model.errors import ExitCode, NeedsApproval
from reconcile.trees.ssh.failures import PROOF
from reconcile.trees.ssh.hostkeys import ShownKey
from reconcile.trees.ssh.place import parse_host


def run(face: Face) -> int:
    """Show, ask, pin."""
    word = face.words[0]
    host = look_at(
        parse_host(endpoint_asked(face, word) if word.startswith("@") else word), face.env
    )
    named, replace = face.values("fingerprint"), face.flag("replace")
    keys = chosen(host, named, replace=replace)
    if all(one.state == "known" for one in keys):
        return _answer(face, host, "")
    check_file(host.target)
    if not named and not _approved(face, host, keys):
        face.tell("not pinned: nothing was changed")
        return ExitCode.DECLINED
    return _answer(face, host, pin_keys(host, keys, replace=replace), keys)


def _approved(face: Face, host: Host, keys: Sequence[ShownKey]) -> bool:
    """Raises: NeedsApproval, when nobody can be asked."""
    if face.flag("yes") or not face.may_ask:
        raise NeedsApproval(
            "a host key is pinned when somebody has compared its fingerprint, and nobody has",
            where="\n".join(key_text(one) for one in keys),
            hint="compare with the server's own, then name it: --fingerprint SHA256:...",
        )
    for line in key_lines(host):
        face.say(face.out.text(line))
    face.say("The network proves nothing. Compare with what the server says of itself:")
    face.say(f"  {PROOF}")
    count = counted(sum(one.state != "known" for one in keys), "key")
    return confirmed(face, f"Pin {count} in {host.target.files[0]}?")


def key_lines(host: Host) -> list[str]:
    """The keys as a table, with what was known of each."""
    rows = [
        (one.key.kind, one.key.fingerprint, one.state, f"({one.where})" if one.where else "")
        for one in host.keys
    ]
    table = columns(("KIND", "FINGERPRINT", "STATE", ""), rows)
    return [f"{host.target.name} shows:", *(f"  {line.rstrip()}" for line in table)]


def _answer(face: Face, host: Host, file: str, pinned: Sequence[ShownKey] = ()) -> int:
    """`file` is where keys were written; empty: all were known."""
    if face.is_json:
        face.document(_document(host, file, pinned))
    elif file and not face.quiet:
        face.say(f"Pinned {counted(len(pinned), 'key')} of {host.target.name} in {file}.")
    elif not face.quiet:
        for line in key_lines(host):
            face.say(face.out.text(line))
        face.say("Nothing to pin: known already.")
    return ExitCode.OK


def _document(host: Host, file: str, pinned: Sequence[ShownKey]) -> HostKeysDocument:
    replaced = any(one.state == "changed" for one in pinned)
    return HostKeysDocument(
        host=host.target.name,
        file=file,
        keys=[
            HostKeyItem(
                kind=one.key.kind,
                fingerprint=one.key.fingerprint,
                state=one.state,
                where=one.where,
                pinned=one in pinned or (one.state == "known" and not replaced),
            )
            for one in host.keys
        ],
    )
