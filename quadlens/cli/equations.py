"""``quadlens equations``: show equations by name, or regenerate every one as LaTeX, Markdown and a page."""

from typing import TYPE_CHECKING

import click

from quadlens.cli.derive import complete
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import json_option, next_step, print_json, say
from quadlens.untrusted_text import one_line

if TYPE_CHECKING:
    from quadlens.identities.equation import Equation


@click.command(epilog="Example: quadlens equations pizza_integral --format markdown")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete)
@click.option(
    "--format",
    "form",
    type=click.Choice(("latex", "markdown", "html", "sympy", "rocq")),
    help="With NAME: how; rocq without one prints all that it can.",
)
@click.option("--family", "families", is_flag=True, help="Every statement of the families called NAME.")
@click.option("-o", "--output", "folder", help="Folder to write to.  [default: equations]")
@json_option
def command(names: tuple[str, ...], form: str | None, families: bool, folder: str | None, as_json: bool) -> None:
    """Print the equations called NAME, unproved; without a NAME prove every identity and write equations.tex,
    equations.md and equations.html.

    NAME is one statement: pizza_integral or pizza_integral.scaled, say.
    """
    if names:
        from quadlens.identities.equation import equations_named

        if folder is not None:
            raise click.UsageError("with a NAME equations are printed, not written; leave out -o, or the names")
        _print(equations_named(names, families=families), form or "latex", as_json)
        return
    if form == "rocq" and not families and folder is None and not as_json:
        from quadlens.identities.catalogue import all_statements
        from quadlens.identities.rocq import statements_file

        say(statements_file(all_statements()).rstrip())
        return
    if form is not None or families:
        what = "--family" if families else "--format"
        raise click.UsageError(f"{what} goes with the NAME of an equation; without one all are written in every format")
    _write(folder or "equations", as_json)


def _print(found: "tuple[Equation, ...]", form: str, as_json: bool) -> None:
    from quadlens.identities.equation import in_format

    if as_json:
        rows = ({"name": one.name, "title": one.title, "domain": list(one.statement.domain)} for one in found)
        print_json([row | {form: in_format(one, form)} for row, one in zip(rows, found, strict=True)])
        return
    for one in found:
        # nothing but the formula, so that it can be pasted or piped
        for line in in_format(one, form).splitlines():
            say(line)


def _write(folder: str, as_json: bool) -> None:
    from quadlens.files import make_folder
    from quadlens.identities.equations import write_equations
    from quadlens.identities.scripts import run_derivations

    make_folder(folder)
    with progress_bar("Deriving") as report:
        finished = run_derivations(progress=report)
    with progress_bar("Drawing") as report:
        paths = write_equations(finished, folder, progress=report)
    failures = [timed.failure for timed in finished if timed.failure]
    results = [result for timed in finished for result in timed.derivation.results]
    if as_json:
        print_json({"files": [str(path) for path in paths], "statements": len(results), "failures": failures})
    else:
        for path in paths:
            say(f"wrote {path}")
        say(f"{len(results)} statements; open {paths[-1]} in a browser.")
        next_step("quadlens derive pizza_integral", "read a proof step by step")
    if failures:
        more = f" (and {len(failures) - 1} more; see --json)" if len(failures) > 1 else ""
        click.echo(f"failed: {one_line(failures[0], 1000)}{more}", err=True)
        raise SystemExit(1)
