"""Mathematics as drawings: each formula becomes an SVG in the page, so that it shows without network, script or font.

The LaTeX source is the drawing's label, for screen readers and for copying.
"""

from functools import cache
from html import escape
from typing import Any

import ziamath
from docutils import nodes
from sphinx.application import Sphinx

SIZE = 17.0  # pixels, beside 16 pixel text: the drawing font looks smaller than most

ziamath.config.svg2 = False  # paths in place of shared symbols, whose ids would clash within a page


@cache
def drawing(latex: str, inline: bool) -> str:
    """Return the formula as an SVG element in the colour of the text around it."""
    formula = ziamath.Latex(latex, size=SIZE, inline=inline, color="currentColor")
    down = f' style="vertical-align:{formula.getyofst():.2f}px"' if inline else ""
    return formula.svg().replace("<svg ", f'<svg role="img" aria-label="{escape(latex, quote=True)}"{down} ', 1)


def visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{drawing(node.astext(), True)}</span>')
    raise nodes.SkipNode


def visit_display(translator: Any, node: nodes.math_block) -> None:
    label = f' id="{node["ids"][0]}"' if node.get("ids") else ""
    latex = node.astext()
    # lines of a plain formula are drawn one by one; inside an environment the double backslash is its own
    lines = [latex] if r"\begin" in latex else [line for line in latex.split(r"\\") if line.strip()]
    drawings = "".join(drawing(line, False) for line in lines)
    translator.body.append(f'<div class="math"{label}>{drawings}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("drawn", (visit_inline, None), (visit_display, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
