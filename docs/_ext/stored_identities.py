"""Equations from the package: a page names an identity, and what is shown is what is stored and proved.

``{identity} name …`` shows statements (``family.*`` stands for all of its statements); ``{proof} name`` shows the
steps of a family's derivation, run while the page is built; ``{definition} module`` shows the formulas that a module's
docstring states.
"""

from importlib import import_module
from inspect import getdoc
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import quadlens as ql
from quadlens.identities.latex import formula_latex, statement_latex
from quadlens.identities.scripts import run_derivation


class Identity(SphinxDirective):
    """Show stored statements, each with its title, its script and the verdict of its proof."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        shown: list[nodes.Node] = []
        for name in self.arguments[0].split():
            found = [statement for statement in ql.identities() if name in (statement.name, f"{statement.family}.*")]
            if not found:
                raise self.error(f"no identity is called {name!r}")
            for statement in found:
                formula = nodes.math_block("", statement_latex(statement), nowrap=True, number=None, label=None)
                formula["docname"] = self.env.docname
                title = nodes.paragraph("", statement.title, classes=["identity-title"])
                verdict = "checked, one step of it numerically," if statement.numeric else "proved"
                origin = nodes.paragraph("", "", classes=["identity-origin"])
                origin += [
                    nodes.literal("", statement.name),
                    nodes.Text(f": {verdict} by "),
                    nodes.literal("", statement.derivation),
                ]
                shown.append(nodes.container("", title, formula, origin, classes=["identity"]))
        return shown


class Proof(SphinxDirective):
    """Show the numbered steps of a family's derivation."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        shown: list[nodes.Node] = []
        for result in run_derivation(self.arguments[0]).derivation.results:
            steps = nodes.enumerated_list()
            for step in result.steps:
                item = nodes.list_item("", nodes.paragraph("", step.text))
                if step.formula is not None:
                    block = nodes.math_block("", formula_latex(step.formula), nowrap=True, number=None, label=None)
                    block["docname"] = self.env.docname
                    item += block
                item += nodes.paragraph("", f"Checked: {step.check}.", classes=["identity-origin"])
                steps += item
            shown += [nodes.paragraph("", f"To prove: {result.statement.title}"), steps]
        return shown


class Definition(SphinxDirective):
    """Show the formulas of a module's docstring: its indented blocks."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        formulas = formulas_of(getdoc(import_module(name)) or "")
        if not formulas:
            raise self.error(f"the docstring of {name} states no formula")
        origin = nodes.paragraph("", "From ", nodes.literal("", name), nodes.Text("."), classes=["identity-origin"])
        blocks = [nodes.literal_block(formula, formula, language="text") for formula in formulas]
        return [nodes.container("", *blocks, origin, classes=["identity"])]


def formulas_of(docstring: str) -> list[str]:
    """Return the blocks that are indented by four spaces."""
    blocks: list[list[str]] = []
    inside = False
    for line in docstring.splitlines():
        if line.startswith("    "):
            if not inside:
                blocks.append([])
            blocks[-1].append(line[4:])
        inside = line.startswith("    ") or (inside and not line)
    return ["\n".join(block) for block in blocks]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("identity", Identity)
    app.add_directive("proof", Proof)
    app.add_directive("definition", Definition)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
