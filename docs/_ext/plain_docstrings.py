"""Docstrings as they are read in the source: indented formulas stay formulas, ``|e_A|`` and ``a * b`` stay text."""

import re
from typing import Any

from sphinx.application import Sphinx

# what reStructuredText would read as a substitution, as emphasis, or as a reference
_SIGNS = re.compile(r"[*|]|_(?![A-Za-z0-9])")


def escaped(line: str) -> str:
    """Escape a line of prose, outside of its double backquotes."""
    pieces = line.split("``")
    pieces[::2] = [_SIGNS.sub(lambda found: "\\" + found[0], piece) for piece in pieces[::2]]
    return "``".join(pieces)


def restructured(lines: list[str]) -> list[str]:
    """Make every indented block before the first numpydoc section a literal block, and escape the prose."""
    out: list[str] = []
    in_sections, in_formula = False, False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        in_sections = in_sections or following.startswith("---")
        if line.lstrip().startswith((">>>", "...")) or line.startswith("---"):
            out.append(line)
        elif line.startswith("    ") and not in_sections:
            if not in_formula:
                out += [".. code-block:: text", ""]
            in_formula = True
            out.append(line)
        else:
            in_formula = in_formula and not line
            out.append(escaped(line))
    return out


def process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    if lines:
        lines[:] = restructured(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", process, priority=400)  # before napoleon, at 500
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
