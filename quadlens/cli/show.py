"""How commands print: JSON for machines on stdout, tables of 80 columns for people, colour on a terminal."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click


def print_json(value: Any) -> None:
    """Print one JSON document; a NaN or an infinity is an error, never printed."""
    click.echo(json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, note: str | None = None) -> None:
    """Print a table; columns after the first are aligned right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", caption=note, caption_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 80
    Console(width=width, highlight=False, markup=False).print(table)
