"""Sections over SSH: the same far host, the same trees, peer and ours in turn.

A change to a tree is carried over by every tool to a far copy of its own. So each
round begins in agreement, as the next run of a timer does, and no state is turned
back. A first copy goes into a file system made for it, with no state of anybody.
"""

from collections.abc import Callable, Iterator, Sequence

from benchmarks import big
from benchmarks.bench import Bench
from benchmarks.far import DIRECT, SLOW
from benchmarks.measure import Command, Run, compare, in_turn, judge, run
from benchmarks.mutate import Shares, mutate
from benchmarks.peers import Peers, same_content
from benchmarks.report import Limit, Row, row

BIG_MIB = 1024
PART = 12
"""W2 by this is the 5,000 files of the SFTP rows."""

COMPRESS, NONE = "--compress", "--durability none"


def initial(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """A first copy into an empty file system: plain, and compressed."""
    peers = Peers(bench)
    for name in workloads:
        for peer_options, options, wire in (("-a", "", 1.05), ("-az", COMPRESS, 1.1)):
            marks = [Limit("wall_ratio", 1.0), Limit("cpu_ratio", 0.9), Limit("wire_ratio", wire)]
            yield from _initial(peers, name, (peer_options, options), marks)


def _initial(
    peers: Peers, name: str, options: tuple[str, str], marks: Sequence[Limit]
) -> Iterator[Row]:
    left, there = peers.bench.tree(name), peers.far.fresh.mount / "copy"
    state = peers.bench.work / "initial-ssh-state"
    commands = [
        peers.rsync(left, there, options[0]),
        peers.ours(left, there, f"{options[1]} {NONE}".strip(), state=state),
        peers.ours(left, there, options[1], state=state),
    ]
    commands = [command._replace(before=peers.empty(state)) for command in commands]
    runs = in_turn(commands, max(2, peers.bench.rounds // 2))
    same_content(left, there)
    for ours, mine in zip(commands[1:], runs[1:], strict=True):
        yield row("ssh initial", name, judge(commands[0], runs[0], ours, mine), marks)


def no_change(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """Both sides looked at, nothing to do: the run a timer makes all day."""
    marks = [Limit("wall_ratio", 0.8), Limit("wire_ratio", 0.05), Limit("wire_bytes", 80_000)]
    yield from _no_change(bench, workloads, DIRECT, marks)


def slow_no_change(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """The same where a round trip takes 20 ms."""
    yield from _no_change(bench, workloads, SLOW, [Limit("wall_ratio", 0.4)])


def _no_change(
    bench: Bench, workloads: Sequence[str], host: str, marks: Sequence[Limit]
) -> Iterator[Row]:
    peers = Peers(bench)
    for name in workloads:
        bench.tree(name)
        pair = peers.standing_rsync(name, host=host), peers.standing_ours(name, host=host)
        bench.settle()
        yield row(f"{_line(host)} no-change", name, compare(*pair, bench.rounds), marks)


def changed(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """One file in a hundred got 16 other bytes."""
    yield from _changed(bench, workloads, DIRECT)


def slow_changed(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """The same where a round trip takes 20 ms."""
    yield from _changed(bench, workloads, SLOW)


def _changed(bench: Bench, workloads: Sequence[str], host: str) -> Iterator[Row]:
    peers = Peers(bench)
    marks = [Limit("wall_ratio", 0.9), Limit("wire_ratio", 1.3)]
    for name in workloads:
        bench.tree(name)
        plain, packed = (peers.standing_rsync(name, options, host) for options in ("-a", "-az"))
        ours = [peers.standing_ours(name, options, host) for options in (NONE, "", COMPRESS)]
        runs = _mutations(bench, name, [plain, packed, *ours], Shares(changed=0.01))
        none, default, compressed = zip(ours, runs[2:], strict=True)
        for peer, mine, judged in (
            ((plain, runs[0]), none, ()),
            ((plain, runs[0]), default, ()),
            ((packed, runs[1]), default, ()),
            ((packed, runs[1]), compressed, marks),
        ):
            yield row(f"{_line(host)} 1 % changed", name, judge(*peer, *mine), judged)


def moved(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """One file in a hundred has another name elsewhere; bytes beyond those of a no-change run."""
    peers = Peers(bench)
    for name in workloads:
        bench.tree(name)
        pair = peers.standing_rsync(name), peers.standing_ours(name)
        in_turn(pair, 1)
        still = [min(one.wire_bytes for one in runs) for runs in in_turn(pair, 2)]
        runs = _mutations(bench, name, pair, Shares(renamed=0.01))
        theirs, mine = (
            [one._replace(wire_bytes=max(one.wire_bytes - less, 1)) for one in done]
            for less, done in zip(still, runs, strict=True)
        )
        result = judge(pair[0], theirs, pair[1], mine)
        yield row("ssh 1 % moved", name, result, [Limit("wire_ratio", 0.05)])


def delta(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """W4: a large file with scattered edits and an insertion, and one with the edits alone."""
    del workloads
    peers, left = Peers(bench), bench.work / "W4"
    left.mkdir()
    big.make(left / "f.bin", BIG_MIB // 40 if bench.quick else BIG_MIB)
    bench.settle()
    commands = [
        peers.standing_rsync("W4"),
        peers.standing_rsync("W4", "-a --inplace"),
        peers.standing_ours("W4", NONE),
        peers.standing_ours("W4"),
    ]
    for section, insert in (("ssh insertion", True), ("ssh edits in place", False)):

        def change(seed: int, insert: bool = insert) -> None:
            big.edit(left / "f.bin", seed, insert=insert)

        runs = _changes(bench, commands, change)
        same_content(left, peers.place("W4", "ours"))
        default, inplace, *ours = zip(commands, runs, strict=True)
        marks = [Limit("wire_ratio", 0.5), Limit("wall_ratio", 0.8)]
        for mine in ours:
            yield row(section, "W4", judge(*default, *mine), marks)
        marks = [Limit("wire_ratio", 0.1)] if insert else []
        yield row(section, "W4", judge(*inplace, *ours[1]), marks)


def other_peers(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """rclone over SFTP and unison, once each: a first copy, then nothing changed."""
    peers, state = Peers(bench), bench.work / "peers-ssh-state"
    for name in workloads:
        left, there = bench.tree(name), peers.far.fresh.mount / "copy"
        ours = peers.ours(left, there, state=state)
        for peer in (peers.rclone(left, there), peers.unison(left, there)):
            theirs, mine = (_first_and_then(bench, one, peers.empty(state)) for one in (peer, ours))
            for section, a, b in zip(("initial", "no-change"), theirs, mine, strict=True):
                yield row(f"ssh {section}", name, judge(peer, [a], ours, [b]))


def _first_and_then(bench: Bench, command: Command, empty: Callable[[], None]) -> tuple[Run, Run]:
    """A first copy, and a run that finds nothing to do."""
    first = run(command._replace(before=empty))
    bench.settle()
    run(command)
    return first, run(command)


def sftp(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """A server with nothing but SFTP, against rclone: a first copy, then nothing changed."""
    if "W2" not in workloads:
        return
    peers, state = Peers(bench), bench.work / "sftp-state"
    left, there = bench.tree("W2", PART), peers.far.fresh.mount / "copy"
    tree = f"W2/{PART}"

    def rclone(host: str) -> Command:
        return peers.rclone(left, there, host)

    def ours(host: str, options: str = "") -> Command:
        return peers.ours(left, there, options, host, scheme="sftp", state=state)

    for options in (NONE, ""):
        pair = rclone(DIRECT), ours(DIRECT, options)
        first = [command._replace(before=peers.empty(state)) for command in pair]
        result = compare(first[0], first[1], max(2, bench.rounds // 2), warm=False)
        same_content(left, there)
        yield row("sftp initial", tree, result, [Limit("wall_ratio", 1.2)])
    bench.settle()
    result = compare(*pair, bench.rounds)
    asked = peers.requests(rclone), peers.requests(ours)
    counted = row(
        "sftp no-change", tree, result, [Limit("requests_ratio", 0.5)] if all(asked) else []
    )
    yield counted._replace(peer_requests=asked[0], requests=asked[1])
    yield row("sftp 20 ms no-change", tree, compare(rclone(SLOW), ours(SLOW), 1))


def _line(host: str) -> str:
    return "ssh" if host == DIRECT else "ssh 20 ms"


def _mutations(
    bench: Bench, name: str, commands: Sequence[Command], shares: Shares
) -> list[list[Run]]:
    def change(seed: int) -> None:
        mutate(bench.tree(name), shares, seed=seed)

    return _changes(bench, commands, change)


def _changes(
    bench: Bench, commands: Sequence[Command], change: Callable[[int], None]
) -> list[list[Run]]:
    """Change, let every command carry it over, and again; one list of runs for each command."""
    runs: list[list[Run]] = [[] for _ in commands]
    in_turn(commands, 1)
    for _ in range(max(2, bench.rounds // 2)):
        change(bench.next_seed())
        bench.settle()
        for done, (one,) in zip(runs, in_turn(commands, 1), strict=True):
            done.append(one)
    return runs
