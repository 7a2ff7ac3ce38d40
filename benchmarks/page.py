"""The tables of docs/benchmarks.md: the latest full-size row of each name, from the records."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.report import Limit, Row

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"

Record = dict[str, object]
"""One line of the records: a Row's fields, and when and where it was measured."""


def rewrite_page(page: Path, records: Path) -> None:
    """Put the latest rows between the page's markers; the rest of it stays."""
    before, found, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    if not found or END not in rest:
        raise ValueError(f"`{page}` has lost its markers")
    after = rest.partition(END)[2]
    tables = _tables(_latest(records))
    page.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", encoding="utf-8")


def _latest(records: Path) -> list[Record]:
    latest: dict[str, Record] = {}
    for text in records.read_text(encoding="utf-8").splitlines():
        record = json.loads(text)
        if not record["quick"]:
            key = " | ".join(str(record[part]) for part in ("section", "workload", "peer", "ours"))
            latest.pop(key, None)
            latest[key] = record
    return sorted(
        latest.values(), key=lambda record: (str(record["section"]), str(record["workload"]))
    )


def _tables(rows: Sequence[Record]) -> str:
    """One table for what happens on this machine, one for what goes over a wire."""
    if not rows:
        return "Nothing measured yet."
    local = [record for record in rows if not record.get("wire_bytes")]
    wired = [record for record in rows if record.get("wire_bytes")]
    parts = []
    if local:
        parts.append(_table("MiB, largest / all", local))
    if wired:
        parts.append(_table("MiB | wire KB, peer | wire KB, ours | wire ratio | requests", wired))
    newest = max(rows, key=lambda record: str(record["measured"]))
    facts = "; ".join(f"{name}: {value}" for name, value in newest["machine"].items())  # type: ignore[attr-defined]
    days = sorted({str(record["measured"])[:10] for record in rows})
    return "\n\n".join([*parts, f"Measured {days[0]} to {days[-1]}. {facts}."])


def _table(columns: str, rows: Iterable[Record]) -> str:
    head = f"| what | tree | peer, s | ours, s | wall ratio | CPU ratio | {columns} | mark ||"
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([head, rule, *map(_line, rows)])


def _line(record: Record) -> str:
    limits = [Limit(**limit) for limit in record["limits"]]  # type: ignore[attr-defined]
    number = {key: float(str(record[key])) for key in Row._fields[5:11]}
    cells = [
        f"{record['section']}: `{record['ours']}`",
        str(record["workload"]),
        f"`{record['peer']}` {number['peer_wall_s']:.2f}",
        f"{number['wall_s']:.2f}",
        f"{number['wall_ratio']:.2f}",
        f"{number['cpu_ratio']:.2f}",
        *(_wire_cells(record, number) if record.get("wire_bytes") else _memory_cells(number)),
        ", ".join(limit.text() for limit in limits) or "-",
        str(record["verdict"]),
    ]
    return "| " + " | ".join(cells) + " |"


def _memory_cells(number: dict[str, float]) -> list[str]:
    together = f"{number['tree_mib']:.0f}" if number["tree_mib"] else "-"
    return [f"{number['rss_mib']:.0f} / {together}"]


def _wire_cells(record: Record, number: dict[str, float]) -> list[str]:
    kilobytes = [float(str(record[key])) / 1000 for key in ("peer_wire_bytes", "wire_bytes")]
    requests = f"{record['peer_requests']:,} / {record['requests']:,}"
    return [
        f"{number['rss_mib']:.0f}",
        *(f"{one:,.0f}" if one >= 100 else f"{one:.1f}" for one in kilobytes),
        f"{float(str(record['wire_ratio'])):.3f}",
        requests if record["peer_requests"] else "-",
    ]
