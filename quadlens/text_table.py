"""Tables of plain text, for terminals, and of HTML, for notebooks: how objects show themselves."""

from collections.abc import Iterable, Sequence
from html import escape


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


def html_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table; every text is escaped, and columns after the first are aligned right.

    >>> "&lt;3</caption>" in html_table("<3", ["k"], [["15"]])
    True
    """
    left, right = (f' style="text-align: {side}; padding: 0 .5em; white-space: nowrap"' for side in ("left", "right"))
    head = "".join(
        f'<th scope="col"{right if index else left}>{escape(column)}</th>' for index, column in enumerate(columns)
    )
    body = ""
    for first, *rest in rows:
        cells = "".join(f"<td{right}>{escape(cell)}</td>" for cell in rest)
        body += f'<tr><th scope="row"{left}>{escape(first)}</th>{cells}</tr>'
    title = f"<caption{left}>{escape(caption)}</caption>"
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
