"""Inequalities between ReLUs, gates and moduli of linear expressions, proved case by case with exact linear programs.

Every piecewise function splits the claim in two: its argument positive, or not. In each case the claim is linear, and
it holds when the minimum of its slack over the case's cone, cut by a box, is not negative: a homogeneous inequality
holds everywhere when it holds in a box.
"""

from collections.abc import Iterable

from sympy import Expr, Poly, S, expand, sympify
from sympy.solvers.simplex import lpmin

from quadlens.errors import DerivationError
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
    symbols = sorted(
        slack.free_symbols | {symbol for condition in conditions for symbol in condition.free_symbols}, key=str
    )
    if slack.is_nonnegative:
        return
    for expression in (slack, *conditions):
        polynomial = Poly(expression, *symbols)
        if any(sum(powers) != 1 for powers, value in polynomial.terms() if value != 0):
            raise DerivationError(
                f"{expression} is not linear and homogeneous: this case cannot be decided by a linear program"
            )
    box = [bound for symbol in symbols for bound in (symbol <= 1, symbol >= -1)]
    domain = [symbol >= 0 for symbol in symbols if symbol.is_nonnegative]
    cone = [condition >= 0 for condition in conditions if condition != 0]
    minimum, where = lpmin(slack, [*(c for c in cone if c is not S.true), *box, *domain])
    if not minimum >= 0:
        raise DerivationError(f"the slack {slack} is {minimum} at {where}")
