"""A derivation as numbered steps in plain mathematics, for the terminal, and the exit status of a script."""

import sys
from collections.abc import Callable, Collection
from typing import Any

from sympy import pretty

from quadlens.errors import DerivationError
from quadlens.identities.latex import formula_latex, statement_latex
from quadlens.identities.proof import Derivation, Result, Step


def as_text(derivation: Derivation, wanted: Collection[str] | None = None) -> str:
    """Return the derivation as numbered steps, one block per statement, ending in its verdict.

    ``wanted`` names the statements (or the whole family) to show; by default all.
    """
    lines = [derivation.name, "=" * len(derivation.name), derivation.title, ""]
    number = 0
    for result in derivation.results:
        first, number = number + 1, number + len(result.steps)
        if not _is_wanted(result, wanted):
            continue
        lines += [f"To prove: {result.statement.title}", ""]
        for position, step in enumerate(result.steps, start=first):
            lines += _step_lines(position, step)
        lines += [f"{result.statement.name}: {result.detail or result.verdict}", ""]
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
            "source": result.statement.source,
            "derivation": result.statement.derivation,
            "seconds": seconds / len(derivation.results),
        }
        for result in derivation.results
        if _is_wanted(result, wanted)
    ]


def _is_wanted(result: Result, wanted: Collection[str] | None) -> bool:
    return wanted is None or result.statement.name in wanted or result.statement.family in wanted


def _step_lines(number: int, step: Step) -> list[str]:
    lines = [f"{number:3d}. {step.text}"]
    if step.formula is not None:
        lines += [f"        {line}" for line in readable(step.formula).splitlines()]
    return [*lines, f"        [{step.check}]"]


def readable(formula: Any) -> str:
    """Return a formula in two-dimensional plain text."""
    return str(pretty(formula, use_unicode=True, wrap_line=False))


def run_script(derive: Callable[[], Derivation]) -> int:
    """Run a derivation, print its steps, and return the exit status: 0, or 1 when a step fails."""
    try:
        derivation = derive()
    except DerivationError as error:
        sys.stderr.write(f"FAILED: {error}\n")
        return 1
    sys.stdout.write(as_text(derivation) + "\n")
    return 0
