"""``quadlens report``: the main job, one model as one page."""

import time

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import explain, json_option, next_step, print_json, say

FOLDER = "quadlens-report"


@click.command(epilog="Example: quadlens report model.pt -o my-report")
@model_options
@click.option("-o", "--output", "folder", type=click.Path(), default=FOLDER, show_default=True, help="Folder.")
@json_option
def command(loaded: LoadedModel, folder: str, as_json: bool) -> None:
    """Everything about MODEL as one self-contained page, with report.json and its figures."""
    from quadlens.files import make_folder
    from quadlens.report.analysis import analyse
    from quadlens.report.write import write_report

    started = time.monotonic()
    make_folder(folder)  # a folder that cannot be made is said before the work, not after it
    with progress_bar("analysing") as progress:
        analysis = analyse(loaded.name, loaded.circuit, loaded.evaluation, progress=progress)
    with progress_bar("drawing") as progress:
        page, values = write_report(analysis, folder, progress=progress)
    if as_json:
        print_json(values)
        return
    say(loaded.summary)
    if values["opening"]:
        explain(values["opening"])
    explain(values["verdict"])
    for sentence in values["not_explained"]:
        explain(sentence, "  ")
    seconds = time.monotonic() - started
    say(f"Wrote {page}, report.json and {len(values['figures'])} figures (SVG) in {seconds:.1f} s.")
    say(f"Open {page.resolve().as_uri()} in a browser.")
    whole = analysis.proofs.cheapest_whole
    if whole is not None:
        options = ("--method", whole.method, "-o", "certificate.json")
        next_step(loaded.command("certify", *options), "keep its cheapest whole proof in a file that anyone can check")
    elif analysis.evaluation is None:
        next_step(loaded.command("certify"), "decide every input, however long that takes")
    else:
        next_step(loaded.command("certify"), "see which inputs are right, and which are wrong")
