"""The command line: ``main`` runs one command and turns every expected failure into one line and an exit status.

0: done; 1: a claim was not certified or a check failed; 2: bad input, one line on stderr, no traceback; 70: a bug in
quadlens, with its traceback; 130: interrupted; 141: the reader of our output went away. A command's module is imported
only when that command runs.
"""

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import CompletionItem, shell_complete

from quadlens import __version__
from quadlens.cli.show import add_quiet
from quadlens.errors import QuadlensError
from quadlens.untrusted_text import one_line

COMPLETION_VARIABLE = "_QUADLENS_COMPLETE"
LONGEST_MESSAGE = 2000

COMMANDS = {
    "report": "The main job: one model, everything about it, as one page.",
    "fit": "Amplitude–phase form, per frequency and per neuron.",
    "compare": "Finite sums beside their integrals at one input and logit.",
    "decompose": "Where every bit of the difference to the integral comes from.",
    "certify": "Prove that a network is right on every input.",
    "check": "Check a certificate file independently.",
    "derive": "Run derivations and print their steps.",
    "equations": "Show one equation, or regenerate all (LaTeX, Markdown, HTML).",
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
        return add_quiet(command)

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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # click's own would import every command to ask it for its help
        names = [CompletionItem(name, help=help) for name, help in COMMANDS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="""\b
    Start with: quadlens report
    To complete commands and models with Tab (or with zsh_source, fish_source):
    eval "$(_QUADLENS_COMPLETE=bash_source quadlens)"
    """,
)
@click.version_option(__version__, prog_name="quadlens")
@click.pass_context
def quadlens(ctx: click.Context) -> None:
    """See a trained network's MLP as a quadrature rule, and prove what follows.

    MODEL is the name of a bundled network (quadlens models) or a checkpoint file. Every command takes --json for
    machines and --quiet, and exits with 0 (done), 1 (not certified, or a check failed) or 2 (bad input).
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _fail(message: str, status: int) -> NoReturn:
    with contextlib.suppress(OSError):  # a stderr that is closed
        click.echo(f"quadlens: {one_line(' '.join(message.split()), LONGEST_MESSAGE)}", err=True)
    raise SystemExit(status)


def _is_broken_package(error: BaseException) -> bool:
    """Say whether the error came from importing a package: missing, of another machine, damaged."""
    trace = error.__traceback__
    while trace is not None:
        # the body of a module that is not ours runs only when it is imported
        module = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if trace.tb_frame.f_code.co_name == "<module>" and module not in ("quadlens", "__main__"):
            return True
        trace = trace.tb_next
    return isinstance(error, ImportError)


def _abandon_stdout() -> None:
    """Give stdout somewhere to go: the interpreter flushes it once more at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except io.UnsupportedOperation:  # a stream in memory has no file to replace
        return


def _show_what_can_be_shown() -> None:
    """Let a terminal that cannot show a character get its escape instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError):  # one that cannot be flushed says so when it is used
                stream.reconfigure(errors="backslashreplace")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    _show_what_can_be_shown()
    given = list(sys.argv[1:] if arguments is None else arguments)
    instruction = os.environ.get(COMPLETION_VARIABLE)
    try:
        # click's own main() would turn a closed pipe into status 1, which here means "not certified"
        if instruction:
            raise SystemExit(shell_complete(quadlens, {}, "quadlens", COMPLETION_VARIABLE, instruction))
        with quadlens.make_context("quadlens", given) as context:
            status = quadlens.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as finished:
        status = finished.exit_code
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
        # Python remembers an interrupt that struck inside executed text, and would end with the signal; this clears it
        exec("")
        _fail("interrupted; nothing half-written is left behind", 130)
    except BrokenPipeError:
        _abandon_stdout()
        raise SystemExit(141) from None
    except Exception as error:
        if _is_broken_package(error):
            what = f"{type(error).__name__}: {error}"
            _fail(f"a package that this needs cannot be imported ({what}); install it again", 2)
        if isinstance(error, OSError):
            _abandon_stdout()
            _fail(f"cannot use {error.filename or 'the output'}: {error.strerror or error}", 2)
        traceback.print_exc()
        _fail("this is a bug in quadlens, not in what you typed; please report it with the lines above", 70)
    raise SystemExit(status if isinstance(status, int) else 0)
