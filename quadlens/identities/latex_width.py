"""About how wide a formula is when it is set, in letters: enough to know where a line must be broken."""

import re

LINE = 62
"""Letters to a line of a page in the class article."""

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_]|\s+|.")
NOTHING = ("left", "right", "bigl", "bigr", "Bigl", "Bigr", "operatorname", "displaystyle", "limits", "text", "mathbf")
NAMED = ("cos", "sin", "tan", "exp", "log", "ln", "max", "min", "acos", "asin")
SPACES = {"quad": 2.0, "qquad": 4.0}
WIDE = {"+": 2.3, "-": 2.3, "=": 2.6, "<": 2.6, ">": 2.6}
SMALL = 0.7
"""The size of an exponent or an index."""


def width(latex: str) -> float:
    """Return the width of a formula in letters, roughly: a fraction is as wide as its wider half.

    >>> width("a + b"), width(r"\\frac{a + b}{2}") == width("a + b")
    (4.3, True)
    """
    return _until(TOKEN.findall(latex), 0, None)[0]


def _until(tokens: list[str], at: int, closing: str | None) -> tuple[float, int]:
    total = 0.0
    while at < len(tokens) and tokens[at] != closing:
        one, at = _atom(tokens, at)
        total += one
    return total, at + 1


def _atom(tokens: list[str], at: int) -> tuple[float, int]:
    token = tokens[at]
    if token == "{":
        return _until(tokens, at + 1, "}")
    if token in "^_" and at + 1 < len(tokens):
        inner, at = _atom(tokens, at + 1)
        return SMALL * inner, at
    if token == r"\frac":
        above, at = _atom(tokens, at + 1)
        below, at = _atom(tokens, at)
        return max(above, below), at
    name = token.removeprefix("\\")
    if token.isspace() or token == "}" or name in NOTHING:
        return 0.0, at + 1
    if token.startswith("\\"):
        known = SPACES.get(name, len(name) if name in NAMED else 2.6 if name in ("le", "ge", "neq", "sum") else 1.0)
        return known, at + 1
    return WIDE.get(token, 1.0), at + 1
