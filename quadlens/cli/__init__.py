"""The command line: ``main`` runs one command and turns every expected failure into one line and an exit status.

0: done; 1: a claim was not certified or a check failed; 2: bad input, one line on stderr, no traceback; 130:
interrupted; 141: the reader of our output went away. A command's module is imported only when that command runs.
"""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import NoReturn

import click

from quadlens import __version__
from quadlens.errors import QuadlensError

COMMANDS = {
    "report": "The main job: one model, everything about it, as one page.",
    "fit": "Amplitude–phase form, per frequency and per neuron.",
    "decompose": "Where every bit of the difference to the integral comes from.",
    "certify": "Prove that a network is right on every input.",
    "check": "Check a certificate file independently.",
    "derive": "Run derivations and print their steps.",
    "equations": "Regenerate every equation (LaTeX, Markdown, HTML).",
    "train": "Train one network.",
    "sweep": "Train and analyse a population, resumably.",
    "construct": "Build a network in closed form.",
    "convert": "Convert between checkpoint families and the native format.",
    "models": "List the bundled networks.",
}


class LazyGroup(click.Group):
    """A group whose commands live one to a file, ``quadlens/cli/<name>.py``, as ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"quadlens.cli.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"quadlens.cli.{cmd_name}.command must be a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Start with: quadlens report",
)
@click.version_option(__version__, prog_name="quadlens")
def quadlens() -> None:
    """See a trained network's MLP as a quadrature rule, and prove what follows.

    MODEL is the name of a bundled network (quadlens models) or a checkpoint file.
    """


def one_line(message: str) -> str:
    """Return the message on one line, with whatever a terminal would obey instead of print made visible."""
    joined = " ".join(message.split())
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in joined)


def _fail(message: str, status: int) -> NoReturn:
    click.echo(f"quadlens: {one_line(message)}", err=True)
    raise SystemExit(status)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    try:
        status = quadlens.main(args=arguments, prog_name="quadlens", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "quadlens"
        _fail(f"{error.format_message()} (see '{where} --help')", 2)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except QuadlensError as error:
        _fail(str(error), 2)
    except MemoryError as error:
        _fail(f"not enough memory: {error or 'the model is too large for this machine'}", 2)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; nothing half-written is left behind", 130)
    except BrokenPipeError:
        # the interpreter flushes stdout once more at exit; give it somewhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    raise SystemExit(status if isinstance(status, int) else 0)
