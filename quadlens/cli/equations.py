"""``quadlens equations``: regenerate every equation as LaTeX, Markdown and a page."""

import click

from quadlens.cli.progress import progress_bar
from quadlens.cli.show import print_json


@click.command(epilog="Example: quadlens equations -o equations")
@click.option("-o", "--output", "folder", default="equations", show_default=True, help="Folder to write to.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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
            click.echo(f"wrote {path}")
        click.echo(f"{len(results)} statements; open {paths[-1]} in a browser.")
    for failure in failures:
        click.echo(f"failed: {failure}", err=True)
    if failures:
        raise SystemExit(1)
