"""Tables of plain text, for terminals and for objects that show themselves."""

from collections.abc import Iterable, Sequence


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; columns after the first are aligned right.

    >>> print(*text_table(["k", "weight"], [["3", "1.5"], ["15", "10"]]), sep="\\n")
    k   weight
    ──  ──────
    3      1.5
    15      10
    """
    cells = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = [
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return [lines[0], "  ".join("─" * width for width in widths), *lines[1:]]
