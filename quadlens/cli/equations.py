"""``quadlens equations``: regenerate every equation as LaTeX, Markdown and a page."""

import click

from quadlens.cli.progress import progress_bar
from quadlens.cli.show import json_option, next_step, print_json, say


@click.command(epilog="Example: quadlens equations -o equations")
@click.option("-o", "--output", "folder", default="equations", show_default=True, help="Folder to write to.")
@json_option
def command(folder: str, as_json: bool) -> None:
    """Prove every identity and write equations.tex, equations.md and equations.html."""
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
    for failure in failures:
        click.echo(f"failed: {failure}", err=True)
    if failures:
        raise SystemExit(1)
