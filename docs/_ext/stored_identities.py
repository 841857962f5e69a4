"""Equations from the package: a page names an identity, and what is shown is what is stored and proved.

``{identity} name …`` shows statements (a family's name stands for all of its statements); ``{proof} name`` shows the
steps of a family's derivation, run while the page is built.
"""

from functools import cache
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
            found = [statement for statement in ql.identities() if name in (statement.name, statement.family)]
            if not found:
                raise self.error(f"no identity is called {name!r}")
            for statement in found:
                formula = nodes.math_block("", statement_latex(statement), nowrap=True, number=None, label=None)
                formula["docname"] = self.env.docname
                title = nodes.paragraph("", statement.title, classes=["identity-title"])
                verdict = _verdicts(statement.family)[statement.name]
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


@cache
def _verdicts(family: str) -> dict[str, str]:
    timed = run_derivation(family)
    if timed.failure:
        raise RuntimeError(f"the derivation of {family} fails: {timed.failure}")
    return {result.statement.name: result.verdict for result in timed.derivation.results}


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("identity", Identity)
    app.add_directive("proof", Proof)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
