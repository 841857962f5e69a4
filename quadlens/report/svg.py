"""A matplotlib figure as SVG text: the same bytes every time, ids of its own, colours that follow the page."""

import io
import re
from html import escape
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from quadlens.report.colours import VARIABLES

_SETTINGS: Any = {"svg.hashsalt": "quadlens", "svg.fonttype": "path", "svg.image_inline": True}
_IDENTIFIER = re.compile(r'(\bid="|href="#|url\(#)')


def svg_text(figure: Figure, name: str, description: str) -> str:
    """Return the figure as an ``<svg>`` element.

    Letters are drawn as shapes, so that it looks the same wherever it is opened; the description is there for readers
    who do not see it. Ids start with ``name``: several figures can share a page.
    """
    buffer = io.StringIO()
    with rc_context(_SETTINGS):
        engine = figure.get_layout_engine()
        if engine is not None:  # laid out once here; saving would do it twice more
            engine.execute(figure)
            figure.set_layout_engine("none")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # matplotlib's comments repeat each label; they may hold text from a file, and nobody sees them
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = _IDENTIFIER.sub(lambda match: f"{match[1]}{name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable}, {colour})")
    head, body = text.split(">", 1)
    label = escape(description, quote=True)
    return f'{head} role="img" aria-label="{label}">\n<title>{label}</title>{body}'.strip() + "\n"
