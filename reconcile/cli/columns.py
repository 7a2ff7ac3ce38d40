"""Columns: rows of text under headings; where they do not fit, a block for each row."""

from collections.abc import Sequence

from reconcile.cli.look import Look


def columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the headings first; the last column is never padded."""
    table = [list(headings), *[list(row) for row in rows]]
    widths = [max(len(row[place]) for row in table) for place in range(len(headings))]
    return [
        "  ".join(
            cell if place == len(widths) - 1 else f"{cell:<{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def block(cells: Sequence[str], width: int, indent: int = 4) -> list[str]:
    """The cells one after the other, broken between two of them where the line is full.

    What follows the first line is indented. A cell longer than a line stays whole.
    """
    lines = [cells[0]]
    for cell in cells[1:]:
        if len(lines[-1]) + 2 + len(cell) <= width:
            lines[-1] += "  " + cell
        else:
            lines.append(" " * indent + cell)
    return lines


def shortened(name: str, width: int, look: Look) -> str:
    """The name with its middle left out where it is longer than `width`; only for terminals."""
    if len(name) <= width:
        return name
    mark = look.signs("…")
    head = (width - len(mark)) // 2
    return name[:head] + mark + name[len(name) - (width - len(mark) - head) :]
