"""The LaTeX of statements, generated from their expressions: what is printed is what is proved."""

from typing import Any

from sympy import latex
from sympy.printing.latex import LatexPrinter

from quadlens.identities.statement import Statement

RELATIONS = {"=": "=", "<=": r"\le"}


def formula_latex(formula: Any) -> str:
    """Return a formula as LaTeX."""
    return str(LatexPrinter({"order": "none", "imaginary_unit": "i", "fold_short_frac": False}).doprint(formula))


def statement_latex(statement: Statement) -> str:
    """Return one statement as LaTeX, abbreviations and conditions included."""
    head = "" if statement.defines is None else f"{latex(statement.defines)} = "
    body = f"{head}{formula_latex(statement.left)} {RELATIONS[statement.relation]} {formula_latex(statement.right)}"
    parts = [f"{latex(symbol)} = {formula_latex(definition)}" for symbol, definition in statement.where]
    parts += [formula_latex(condition) for condition in statement.conditions]
    return body if not parts else body + r" \qquad \left(" + r",\quad ".join(parts) + r"\right)"
