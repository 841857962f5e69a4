"""One arc between kinks: waves, their tangent, and the second-order term that stands between them."""

from sympy import I, IndexedBase, Le, Sum, Symbol, exp

from quadlens.identities.functions import Modulus
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.symbols import angles, count, n, reals, u, v, x, y

SOURCE = "derived here"
m, j = Symbol("m", real=True), Symbol("j", integer=True)
eta, share = Symbol("eta", nonnegative=True), Symbol("lambda", nonnegative=True)
X, Y, rates = (IndexedBase(name, real=True) for name in ("X", "Y", "m"))
C = X[j] + I * Y[j]
terms = (j, 1, n)

STATEMENTS = (
    Statement(
        name="exact_arcs",
        title=(
            "A sum of waves, as the error is on an arc without kinks: at a distance eta from the middle it is at most "
            "its tangent and half of M_2 eta^2, with M_2 = sum |C_j| m_j^2."
        ),
        left=Modulus(Sum(C * exp(I * rates[j] * eta), terms)),
        relation="<=",
        right=Modulus(Sum(C * (1 + I * rates[j] * eta), terms))
        + Sum(Modulus(C) * (rates[j] ** 2 * eta**2 / 2), terms),
        variables=(
            *reals(eta, low=0, high=2),
            count(n, 3, 3),
            *(Variable(symbol=name, low=-3, high=3, length=3) for name in (X, Y, rates)),
        ),
        source=SOURCE,
    ),
    Statement(
        name="exact_arcs.wave",
        title="A wave differs from its tangent by at most half of the square of the turn.",
        left=Modulus(exp(I * m * eta) - 1 - I * m * eta),
        relation="<=",
        right=m**2 * eta**2 / 2,
        variables=(*reals(m, low=-3, high=3), *reals(eta, low=0, high=2)),
        source=SOURCE,
    ),
    Statement(
        name="exact_arcs.tangent",
        title="The modulus of a tangent is convex: between the ends of an arc it is at most the weighted mean.",
        left=Modulus(share * (x + I * y) + (1 - share) * (u + I * v)),
        relation="<=",
        right=share * Modulus(x + I * y) + (1 - share) * Modulus(u + I * v),
        variables=(*angles(x, y, u, v), *reals(share, low=0, high=1)),
        conditions=(Le(share, 1),),
        source=SOURCE,
    ),
)
