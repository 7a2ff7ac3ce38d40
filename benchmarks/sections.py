"""Sections: what is measured against whom, and the pass marks. One function each, yielding rows."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import sections_ssh, threeway
from benchmarks.bench import Bench
from benchmarks.loopfs import FreshFilesystem, available, fresh_filesystem
from benchmarks.many_steps import save_many_steps
from benchmarks.measure import (
    BenchmarkFailed,
    Command,
    compare,
    in_turn,
    judge,
    run,
    tree_memory_mib,
)
from benchmarks.mutate import Shares, mutate
from benchmarks.peers import same_content
from benchmarks.report import Limit, Row, row

FLUSHED = ("W2",)
"""rsync --fsync takes minutes on W1: it flushes every one of its files."""

Section = Callable[[Bench, Sequence[str]], Iterator[Row]]


def no_change(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """Both sides scanned whole, nothing changed: the run a timer makes all day."""
    for name in workloads:
        left, right, state = bench.agreed(name)
        ours = bench.ours("diff", left, right, "--exit-code", state=state)
        peer = Command("rsync -an --delete", ["rsync", "-an", "--delete", f"{left}/", f"{right}/"])
        result = compare(peer, ours, bench.rounds)
        limits = [Limit("wall_ratio", 0.75), Limit("cpu_ratio", 1.0), Limit("tree_mib", 64)]
        yield row("no-change", name, result, limits, tree_memory_mib(ours))


def no_change_bisync(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """The same against rclone's two-way synchronisation."""
    for name in workloads:
        left, right, state = bench.agreed(name)
        words = ["rclone", "bisync", str(left), str(right), "--workdir", str(bench.work / "bisync")]
        home = (("XDG_CACHE_HOME", str(bench.work)), ("RCLONE_CONFIG", str(bench.work / "rclone")))
        in_turn([Command("first", [*words, "--resync"], environment=home)], 1)
        peer = Command("rclone bisync", words, environment=home)
        ours = bench.ours("diff", left, right, "--exit-code", state=state)
        result = compare(peer, ours, min(bench.rounds, 2), warm=False)
        yield row("no-change", name, result, [Limit("wall_ratio", 0.05)])


def no_change_unison(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """The same against unison."""
    for name in workloads:
        left, right, state = bench.agreed(name)
        home = (("UNISON", str(bench.work / "unison")),)
        words = ["unison", str(left), str(right), "-batch", "-silent", "-times"]
        in_turn([Command("first", [*words, "-confirmbigdel=false"], environment=home)], 1)
        peer = Command("unison -batch", words, environment=home)
        ours = bench.ours("diff", left, right, "--exit-code", state=state)
        yield row("no-change", name, compare(peer, ours, min(bench.rounds, 3)))


def manifest(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """Every file walked, hashed and listed; the peer only hashes."""
    script = 'find "$1" -type f -print0 | xargs -0 -n1000 -P2 b3sum --num-threads 1'
    for name in workloads:
        top, out = bench.tree(name), bench.work / "out.rman"
        state = bench.work / "manifest-state"
        peer = Command("find | xargs -P2 b3sum", ["sh", "-c", script, "sh", str(top)])
        ours = bench.ours("manifest build", top, "-o", out, state=state, fresh=True)

        def remove(out: Path = out, before: Callable[[], None] | None = ours.before) -> None:
            out.unlink(missing_ok=True)
            if before:
                before()

        ours = ours._replace(before=remove)
        result = compare(peer, ours, bench.rounds)
        yield row("manifest", name, result, [Limit("wall_ratio", 1.2)], tree_memory_mib(ours))


def verify(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """Both sides read and hashed whole."""
    for name in workloads:
        left, right, state = bench.agreed(name)
        peer = Command(
            "rsync -anc --delete", ["rsync", "-anc", "--delete", f"{left}/", f"{right}/"]
        )
        ours = bench.ours("verify", left, right, state=state)
        yield row("verify", name, compare(peer, ours, bench.rounds))


def mirror(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """A first copy into an empty file system, ours verified and with a baseline at the end."""
    if not available():
        raise BenchmarkFailed("a loop file system needs root and mkfs.ext4")
    with fresh_filesystem(bench.work) as fresh:
        for name in workloads:
            left = bench.tree(name)
            plain = _rsync(fresh, left, "-a")
            default = _mirrored(bench, fresh, left, "batch")
            none = _mirrored(bench, fresh, left, "none")
            pairs = [(plain, none, [Limit("wall_ratio", 0.85)]), (plain, default, [])]
            commands = [plain, none, default]
            if name in FLUSHED:
                flushed = _rsync(fresh, left, "-a", "--fsync")
                pairs.append((flushed, default, [Limit("wall_ratio", 0.5)]))
                commands.append(flushed)
            runs = in_turn(commands, max(2, bench.rounds // 2))
            by = dict(zip([command.label for command in commands], runs, strict=True))
            run(default)
            same_content(left, fresh.mount / "copy")
            for peer, ours, limits in pairs:
                result = judge(peer, by[peer.label], ours, by[ours.label])
                yield row("mirror", name, result, limits)


def _rsync(fresh: FreshFilesystem, left: Path, *options: str) -> Command:
    words = ["rsync", *options, f"{left}/", f"{fresh.mount}/copy/"]
    return Command(f"rsync {' '.join(options)}", words, before=lambda: _empty(fresh))


def _mirrored(bench: Bench, fresh: FreshFilesystem, left: Path, durability: str) -> Command:
    state = bench.work / "mirror-state"
    words = ("--yes", "--mode", "mirror", "--durability", durability)
    ours = bench.ours("apply", left, fresh.mount / "copy", *words, state=state)

    def before() -> None:
        _empty(fresh)
        shutil.rmtree(state, ignore_errors=True)

    return ours._replace(label=f"reconcile apply --durability {durability}", before=before)


def _empty(fresh: FreshFilesystem) -> None:
    fresh.renew()
    (fresh.mount / "copy").mkdir()


def update(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """One file in a hundred changed, renamed, deleted and added each; both tools carry it over."""
    for name in workloads:
        left, right, state = bench.agreed(name)
        other = bench.work / f"{name}-rsync"
        subprocess.run(["cp", "-a", f"{left}/.", str(other)], check=True)
        peers, mine = [], []
        peer = Command("rsync -a --delete", ["rsync", "-a", "--delete", f"{left}/", f"{other}/"])
        ours = bench.ours("apply", left, right, "--yes", state=state)
        for number in range(max(1, bench.rounds // 2)):
            mutate(left, Shares(0.01, 0.01, 0.01, 0.01), seed=number)
            (first,), (second,) = in_turn((peer, ours), 1)
            peers.append(first)
            mine.append(second)
        same_content(left, right)
        yield row("update 1 %", name, judge(peer, peers, ours, mine))


def three_way(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """Three manifests of a million entries, 40,000 changes; and two equal ones. Trees unused."""
    del workloads
    entries = 25_000 if bench.quick else 1_000_000
    made = threeway.write(bench.work / "threeway", entries, changes=entries // 25)
    state = bench.work / "threeway-state"
    peer = Command("comm -3", ["comm", "-3", str(made.left_text), str(made.right_text)])
    size = f"{entries // 1000}k"
    ours = bench.ours("manifest diff", made.left, made.right, "--base", made.base, state=state)
    result = compare(peer, ours, bench.rounds)
    limits = [Limit("wall_s", 2.0), Limit("tree_mib", 96)]
    yield row("three-way", size, result, limits, tree_memory_mib(ours))
    ours = bench.ours("manifest diff", made.left, made.left_again, state=state)
    ours = ours._replace(label="reconcile manifest diff (equal)")
    same = Command("cmp", ["cmp", str(made.left), str(made.left_again)])
    yield row("three-way", size, compare(same, ours, bench.rounds))


def start_up(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """Doing nothing, over and over: what a timer pays."""
    del workloads
    rounds = max(bench.rounds, 9)
    version = Command("reconcile --version", [bench.reconcile, "--version"])
    rclone = Command("rclone version", ["rclone", "version"])
    rsync = Command("rsync --version", ["rsync", "--version"])
    yield row("start-up", "-", compare(rclone, version, rounds), [Limit("wall_s", 0.09)])
    yield row("start-up", "-", compare(rsync, version, rounds))
    empty = bench.work / "empty-left", bench.work / "empty-right"
    for top in empty:
        top.mkdir(exist_ok=True)
    ours = bench.ours(
        "diff", *empty, state=bench.work / "empty-state", label="reconcile diff (empty)"
    )
    yield row("start-up", "-", compare(rsync, ours, rounds), [Limit("wall_s", 0.25)])


def reports(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """A saved plan of 100,000 steps, shown in each form; the peer only reads its bytes."""
    del workloads
    steps = 2_500 if bench.quick else 100_000
    plan, state = bench.work / "many.rplan", bench.work / "many-state"
    save_many_steps(plan, steps)
    peer = Command("b3sum", ["b3sum", "--num-threads", "1", str(plan)])
    forms = {"text": 3.0, "json": 5.0, "csv": 5.0, "md": 5.0, "html": 5.0}
    for form, mark in forms.items():
        shown = bench.ours("show", plan, "--format", form, state=state)
        shown = shown._replace(label=f"reconcile show --format {form}")
        result = compare(peer, shown, bench.rounds)
        limits = [Limit("wall_s", mark), Limit("tree_mib", 400)]
        yield row("reports", f"{steps:,} steps", result, limits, tree_memory_mib(shown))


def completion(bench: Bench, workloads: Sequence[str]) -> Iterator[Row]:
    """What a press of Tab costs; the peer's answers are the files here, which it leaves to bash."""
    del workloads
    demo, state = bench.work / "demo", bench.work / "demo-state"
    in_turn([bench.ours("demo", demo, state=state)], 1)
    in_turn([bench.ours("diff", demo / "left", demo / "right", state=state)], 1)
    peer = Command("rclone __complete", ["rclone", "__complete", "bisync", ""])
    home = (("RECONCILE_STATE_DIR", str(state)),)
    for words in ([""], ["conflicts", "show", ""], ["undo", ""], ["diff", "--"]):
        label = " ".join(["reconcile __complete", *(word or '""' for word in words)])
        ours = Command(label, [bench.reconcile, "__complete", "--", *words], environment=home)
        limits = [Limit("wall_s", 0.15)]
        yield row("completion", "-", compare(peer, ours, max(bench.rounds, 9)), limits)


SECTIONS: dict[str, Section] = {
    "start-up": start_up,
    "completion": completion,
    "reports": reports,
    "no-change": no_change,
    "no-change-unison": no_change_unison,
    "no-change-bisync": no_change_bisync,
    "manifest": manifest,
    "verify": verify,
    "three-way": three_way,
    "mirror": mirror,
    "update": update,
    "ssh-initial": sections_ssh.initial,
    "ssh-no-change": sections_ssh.no_change,
    "ssh-no-change-20ms": sections_ssh.slow_no_change,
    "ssh-peers": sections_ssh.other_peers,
    "ssh-sftp": sections_ssh.sftp,
    "ssh-changed": sections_ssh.changed,
    "ssh-changed-20ms": sections_ssh.slow_changed,
    "ssh-moved": sections_ssh.moved,
    "ssh-delta": sections_ssh.delta,
}
"""In the order of running. What changes trees comes after what only copies them."""
