"""Inequalities between ReLUs, gates and moduli of linear expressions, case by case.


Every piecewise function splits the claim in two: its argument positive, or not. In each case the claim is linear, and
it is a combination, with coefficients that are not negative, of the case's own inequalities, checked exactly.
"""

from collections.abc import Iterable

from sympy import Expr, S, expand, sympify

from quadlens.errors import DerivationError
from quadlens.identities.cones import nonnegative_on_cone
from quadlens.identities.functions import Gate, Modulus, ReLU


def nonnegative_in_every_case(slack: Expr, assuming: Iterable[Expr] = ()) -> int:
    """Show ``slack >= 0`` wherever all of ``assuming`` are ``>= 0``, and return the number of cases it took.

    The slack is linear and homogeneous in its symbols in each case.

    Raises
    ------
    DerivationError
        If the slack can be negative in a case, or a case is not linear.
    """
    slack, assuming = sympify(slack), list(assuming)
    atoms = {part for expression in (slack, *assuming) for part in expression.atoms(ReLU, Gate, Modulus)}
    piecewise = [part for part in atoms if not part.args[0].atoms(ReLU, Gate, Modulus)]
    if not piecewise:
        _leaf(expand(slack), [expand(condition) for condition in assuming])
        return 1
    part = min(piecewise, key=lambda candidate: str(candidate))
    argument = part.args[0]
    on, off = _branches(part)
    cases = 0
    for value, condition in ((on, argument), (off, -argument)):
        branch = [assumption.xreplace({part: value}) for assumption in assuming]
        cases += nonnegative_in_every_case(slack.xreplace({part: value}), [*branch, condition])
    return cases


def _branches(part: Expr) -> tuple[Expr, Expr]:
    argument = part.args[0]
    if isinstance(part, Gate):
        return S.One, S.Zero
    return argument, (S.Zero if isinstance(part, ReLU) else -argument)


def _leaf(slack: Expr, conditions: list[Expr]) -> None:
    if slack.is_nonnegative:
        return
    shown = nonnegative_on_cone(slack, conditions)
    if shown is None:
        raise DerivationError(f"{slack} >= 0 is not linear: this case cannot be decided by a linear program")
    if not shown:
        raise DerivationError(f"the slack {slack} is not a combination of {conditions} with coefficients >= 0")
