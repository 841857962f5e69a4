"""A derivation as numbered steps in plain mathematics, for the terminal, and the exit status of a script."""

import sys
import textwrap
from collections.abc import Callable, Collection
from typing import Any

from sympy import Add, Expr, pretty
from sympy.core.relational import Relational
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.stringpict import prettyForm

from quadlens.errors import DerivationError, OptionError
from quadlens.identities.latex import formula_latex, statement_latex
from quadlens.identities.proof import Derivation, Result, Step

WIDTH = 80
INDENT = " " * 8


def as_text(derivation: Derivation, wanted: Collection[str] | None = None) -> str:
    """Return the derivation as numbered steps, one block per statement, ending in its verdict.

    ``wanted`` names the statements (or the whole family) to show; by default all.
    """
    lines = [derivation.name, "=" * len(derivation.name), derivation.title, ""]
    number = 0
    for result in derivation.results:
        first, number = number + 1, number + len(result.steps)
        if not is_wanted(result, wanted):
            continue
        lines += textwrap.wrap(f"To prove: {result.statement.title}", WIDTH)
        domain = "; ".join(result.statement.domain)
        lines += [f"  {line}" for line in textwrap.wrap(f"For {domain}" if domain else "", WIDTH - 2)]
        lines += [""]
        for position, step in enumerate(result.steps, start=first):
            lines += _step_lines(position, step)
        lines += [*textwrap.wrap(f"{result.statement.name}: {result.in_words}", WIDTH, subsequent_indent="  "), ""]
    return "\n".join(lines)


def json_rows(derivation: Derivation, seconds: float, wanted: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return one row for each statement; ``seconds`` is the time of the whole derivation.

    Shared evenly by its statements.
    """
    return [
        {
            "name": result.statement.name,
            "family": derivation.name,
            "title": result.statement.title,
            "statement_latex": statement_latex(result.statement),
            "domain": list(result.statement.domain),
            "steps": [
                {
                    "text": step.text,
                    "latex": None if step.formula is None else formula_latex(step.formula),
                    "check": step.check,
                }
                for step in result.steps
            ],
            "verdict": result.verdict,
            "detail": result.detail,
            "rests_on": list(result.rests_on),
            "source": result.statement.source,
            "derivation": result.statement.derivation,
            "seconds": seconds / len(derivation.results),
        }
        for result in derivation.results
        if is_wanted(result, wanted)
    ]


def is_wanted(result: Result, wanted: Collection[str] | None) -> bool:
    """Return True where everything is wanted, or the statement or its family is named."""
    return wanted is None or result.statement.name in wanted or result.statement.family in wanted


def _step_lines(number: int, step: Step) -> list[str]:
    lines = textwrap.wrap(step.text, WIDTH, initial_indent=f"{number:3d}. ", subsequent_indent="     ")
    if step.formula is not None:
        lines += [f"{INDENT}{line}".rstrip() for line in readable(step.formula, WIDTH - len(INDENT)).splitlines()]
    return [*lines, *textwrap.wrap(f"[{step.check}]", WIDTH, initial_indent=INDENT, subsequent_indent=f"{INDENT} ")]


def readable(formula: Any, columns: int | None = None) -> str:
    """Return a formula in two-dimensional plain text; what is wider than ``columns`` is broken.

    A relation is broken at its sign, a sum between its terms, anything else wherever the line ends.
    """
    whole = str(pretty(formula, use_unicode=True, wrap_line=False))
    if columns is None or max(map(len, whole.splitlines())) <= columns:
        return whole
    if isinstance(formula, Relational):
        sign = {"==": "=", "<=": "≤", ">=": "≥"}.get(formula.rel_op, formula.rel_op)
        return f"{_broken(formula.lhs, '', columns)}\n{_broken(formula.rhs, f'{sign} ', columns)}"
    return _broken(formula, "", columns)


def _broken(expression: Expr, before: str, columns: int) -> str:
    """Return ``before expression``, a sum on as many lines as it takes."""
    rows: list[str] = []
    terms: list[Expr] = []
    for term in Add.make_args(expression) if not isinstance(expression, Add) else expression.as_ordered_terms():
        longer = _drawn([*terms, term], before, not rows)
        if terms and longer.width() > columns:
            rows.append(_wrapped(_drawn(terms, before, not rows), columns))
            before, terms = "    ", []
        terms.append(term)
    return "\n".join([*rows, _wrapped(_drawn(terms, before, not rows), columns)])


def _drawn(terms: list[Expr], before: str, first: bool) -> prettyForm:
    """Draw the sum of the terms; one that goes on with a line above starts with its sign."""
    sign = "" if first or terms[0].could_extract_minus_sign() else "+ "
    drawing = PrettyPrinter({"use_unicode": True, "wrap_line": False})._print(Add(*terms, evaluate=False))
    return prettyForm(*drawing.left(before + sign))


def _wrapped(drawing: prettyForm, columns: int) -> str:
    if drawing.width() <= columns:
        return str(drawing.render(wrap_line=False, use_unicode=True))
    return str(drawing.render(wrap_line=True, num_columns=columns, use_unicode=True))


def run_script(derive: Callable[[], Derivation]) -> int:
    """Run a derivation, print its steps, and return the exit status: 0, or 1 when a step fails."""
    try:
        derivation = derive()
    except DerivationError as error:
        sys.stderr.write(f"FAILED: {error}\n")
        return 1
    except OptionError as error:
        sys.stderr.write(f"FAILED: {error}; list a new one in FAMILIES of quadlens/identities/catalogue.py\n")
        return 1
    sys.stdout.write(as_text(derivation) + "\n")
    return 0
