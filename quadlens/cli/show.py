"""How commands print: JSON for machines on stdout, tables of 80 columns for people, colour on a terminal only.

``--quiet``, which every command gets here, silences everything but JSON and errors: the exit status is the answer.
"""

import contextlib
import io
import json
import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click

from quadlens.text_table import text_table
from quadlens.untrusted_text import is_plain, printable, shell_command

WIDTH = 80


class _Whole(click.IntRange):
    """An integer of this size; its range is no part of a help text, because what a command takes is narrower."""

    name = "integer"

    def _describe_range(self) -> str:
        return ""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = click.INT.convert(value, param, ctx)
        if not -(2**53) <= number <= 2**53:
            self.fail(f"{value} is not in the range from -2⁵³ to 2⁵³", param, ctx)
        return number


WHOLE = _Whole(-(2**53), 2**53)
"""A whole number that is exact as a float64 too, as every size and seed must be."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
_QUIET = "quadlens.quiet"


def add_quiet(command: click.Command) -> click.Command:
    """Give the command the option ``--quiet``, if it has none yet."""
    callback = command.callback
    if callback is None or any(parameter.name == "quiet" for parameter in command.params):
        return command
    command.params.append(
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            is_eager=True,
            callback=lambda context, _, value: context.meta.setdefault(_QUIET, value),
            help="Print nothing but errors (and JSON, with --json).",
        )
    )

    def run(*, quiet: bool, **options: Any) -> Any:
        # whatever a command prints by other means than this module's is for people, unless it is JSON
        if quiet and not options.get("as_json"):
            with contextlib.redirect_stdout(io.StringIO()):
                return callback(**options)
        return callback(**options)

    command.callback = run
    return command


def is_quiet() -> bool:
    """Say whether the running command was given ``--quiet``."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_QUIET))


def say(text: str) -> None:
    """Print text for people; what could act on a terminal, in a name from outside, is shown escaped."""
    if not is_quiet():
        click.echo(printable(text))


def explain(text: str, indent: str = "") -> None:
    """Print sentences for people, broken into lines that fit a terminal of 80 columns."""
    say(textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False))


def next_step(command: str, purpose: str) -> None:
    """Print the command to try next, ready to be copied, and what it is for."""
    say(f"\nNext, {purpose}:\n  {command}")


def same_command() -> str:
    """Return the running command line again, ready to be copied: its options that were given, but not how to print."""
    context = click.get_current_context()
    words = ["quadlens", str(context.info_name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and name not in ("as_json", "quiet") and name in context.params:
            words += [max(parameter.opts, key=len), str(context.params[name])]
    return shell_command(words)


def print_json(value: Any) -> None:
    """Print one JSON document; a NaN or an infinity is an error, never printed."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=ascii_only)
    if not is_plain(text.replace("\n", "")):
        # what could act on a terminal stands in a string, where JSON has an escape for it
        text = "".join(c if c == "\n" or is_plain(c) else json.dumps(c)[1:-1] for c in text)
    click.echo(text)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, note: str | None = None) -> None:
    """Print a table; columns after the first are aligned right."""
    if not is_quiet():
        click.echo("\n" + emphasised(printable(textwrap.fill(title, WIDTH))))
    say("\n".join(text_table(columns, rows)))
    if note is not None:
        explain(note)


def emphasised(text: str) -> str:
    """Return the text in bold on a terminal, unless NO_COLOR is set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else click.style(text, bold=True)
