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

    >>> html_table("<3", ["k"], [["15"]]).partition("<thead>")[0]
    '<table><caption>&lt;3</caption>'
    """
    right = ' style="text-align: right"'
    head = "".join(
        f'<th scope="col"{right if index else ""}>{escape(column)}</th>' for index, column in enumerate(columns)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td{right}>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
