"""Scripts as pages: ``# %%`` cells are run while the pages are built, and shown with what they print and draw.

A cell that starts with ``# %% [markdown]`` is text. Each script can be downloaded as a notebook with its outputs.
"""

import ast
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx

Output = tuple[str, str]  # the kind (text/plain, text/html, image/svg+xml) and the content


@dataclass
class Cell:
    """A piece of a script, and what running it showed."""

    source: str
    is_text: bool
    outputs: list[Output] = field(default_factory=list)


def cells_of(script: str) -> list[Cell]:
    """Split a script at its ``# %%`` lines; what comes before the first is left out."""
    cells = []
    for piece in ("\n" + script).split("\n# %%")[1:]:
        head, _, body = piece.partition("\n")
        is_text = head.strip() == "[markdown]"
        if is_text:
            body = "\n".join(line.removeprefix("#").removeprefix(" ") for line in body.splitlines())
        cells.append(Cell(source=body.strip(), is_text=is_text))
    return cells


def execute(cells: list[Cell]) -> None:
    """Run the cells one after another in one namespace and one temporary folder."""
    import matplotlib

    matplotlib.use("Agg")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder, _working_in(folder):
        for cell in cells:
            if not cell.is_text:
                cell.outputs = list(_run(cell.source, namespace))


def _run(source: str, namespace: dict[str, Any]) -> Iterator[Output]:
    import matplotlib.pyplot as plt

    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace)
    if printed.getvalue():
        yield "text/plain", printed.getvalue()
    if value is not None:
        yield _shown(value)
    for number in plt.get_fignums():
        figure = plt.figure(number)
        if figure is not value:
            yield _shown(figure)
    plt.close("all")


def _shown(value: Any) -> Output:
    from matplotlib.figure import Figure

    if isinstance(value, Figure):
        drawn = io.StringIO()
        value.savefig(drawn, format="svg", bbox_inches="tight")
        return "image/svg+xml", drawn.getvalue()[drawn.getvalue().index("<svg") :]
    if hasattr(value, "_repr_html_"):
        return "text/html", str(value._repr_html_())
    return "text/plain", repr(value)


@contextlib.contextmanager
def _working_in(folder: str) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def as_markdown(cells: list[Cell], notebook: str) -> str:
    """Return a page: text, code, and outputs below their code."""
    parts = []
    for cell in cells:
        if cell.is_text:
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for kind, content in cell.outputs:
            if kind == "text/plain":
                parts.append(f"```text\n{content.rstrip()}\n```")
            else:
                parts.append(f'````{{raw}} html\n<div class="cell-output">{content}</div>\n````')
    title, _, rest = parts[0].partition("\n")
    link = f'````{{raw}} html\n<p><a href="{notebook}" download>Download as a notebook</a></p>\n````'
    return "\n\n".join([title, link, rest, *parts[1:]])


def as_notebook(cells: list[Cell]) -> dict[str, Any]:
    """Return the Jupyter notebook (format 4.5) of executed cells."""
    made = []
    for number, cell in enumerate(cells):
        shared = {"id": f"cell-{number}", "metadata": {}, "source": cell.source.splitlines(keepends=True)}
        if cell.is_text:
            made.append({"cell_type": "markdown", **shared})
            continue
        outputs = [
            {"output_type": "display_data", "metadata": {}, "data": {kind: content.splitlines(keepends=True)}}
            for kind, content in cell.outputs
        ]
        made.append({"cell_type": "code", "execution_count": None, "outputs": outputs, **shared})
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return {"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


class ScriptParser(MystParser):
    """Runs a script, and parses the page made of it."""

    supported = ("script",)

    def parse(self, inputstring: str, document: Any) -> None:
        cells = cells_of(inputstring)
        execute(cells)
        environment = document.settings.env
        name = environment.docname
        target = Path(environment.app.outdir) / f"{name}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(as_notebook(cells), indent=1))
        super().parse(as_markdown(cells, target.name), document)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_source_suffix(".py", "script")
    app.add_source_parser(ScriptParser)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
