"""The rectangle rule on cells of any position: what one cell can be off by, and the split and folded forms."""

from sympy import Expr, I, IndexedBase, Integral, Le, Rational, S, Sum, Symbol, cos, exp, pi, sin

from quadlens.identities.functions import Modulus, Re, ReLU
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.symbols import angles, count, n, phi, psi, reals, u, v, x, y

SOURCE = "derived here; the rectangles are those of arXiv 2412.03773"
t, low, high = Symbol("t", real=True), Symbol("v_0", real=True), Symbol("v_1", real=True)
j = Symbol("j", integer=True)
w, nodes = IndexedBase("w", nonnegative=True), IndexedBase("phi", real=True)


def target(angle: Symbol) -> Expr:
    """Return ``h(angle) = ReLU(cos(angle + x)) cos(2 angle + y)``."""
    return ReLU(cos(angle + x)) * cos(2 * angle + y)


def half(angle: Symbol) -> Expr:
    """Return the absolute-value half of ``h``."""
    return Modulus(cos(angle + x)) / 2 * cos(2 * angle + y)


share = Symbol("lambda", nonnegative=True)


def doubled(angle: Symbol) -> Expr:
    """Return the absolute-value half as a function of twice the phase."""
    return Modulus(cos(angle / 2 + x)) / 2 * cos(angle + y)


STATEMENTS = (
    Statement(
        name="rectangle_bound",
        title=(
            "One rectangle: the area under h over a cell differs from width times height by at most twice the mean "
            "distance."
        ),
        left=Modulus(Integral(target(t), (t, low, high)) - (high - low) * target(phi)),
        relation="<=",
        right=2 * Integral(Modulus(t - phi), (t, low, high)),
        variables=angles(low, high, phi, x, y),
        conditions=(Le(low, high),),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.derivative",
        title="Where h is smooth, its derivative (u = phi + x, v = 2 phi + y) is at most 2 in modulus.",
        left=Modulus(sin(u) * cos(v) + 2 * cos(u) * sin(v)),
        relation="<=",
        right=S(2),
        variables=angles(u, v),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.attained",
        title="The constant 2 cannot be improved: at phi = -x and y = 2x - pi/2 the derivative of h is 2.",
        left=-sin(phi + x) * cos(2 * phi + y) - 2 * cos(phi + x) * sin(2 * phi + y),
        right=S(2),
        variables=angles(x),
        where=((phi, -x), (y, 2 * x - pi / 2)),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.inside",
        title="The mean distance when the node lies in its cell.",
        left=Integral(Modulus(t - phi), (t, low, high)),
        right=((high - phi) ** 2 + (phi - low) ** 2) / 2,
        variables=angles(low, phi, high),
        conditions=(Le(low, phi), Le(phi, high)),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.left_of_cell",
        title="The mean distance when the node lies to the left of its cell.",
        left=Integral(Modulus(t - phi), (t, low, high)),
        right=((high - phi) ** 2 - (low - phi) ** 2) / 2,
        variables=angles(low, phi, high),
        conditions=(Le(phi, low), Le(low, high)),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.right_of_cell",
        title="The mean distance when the node lies to the right of its cell.",
        left=Integral(Modulus(t - phi), (t, low, high)),
        right=((low - phi) ** 2 - (high - phi) ** 2) / 2,
        variables=angles(low, phi, high),
        conditions=(Le(high, phi), Le(low, high)),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.folded",
        title=(
            "The absolute-value half has period pi and slope at most 1: nodes fold modulo pi, and the bound is halved."
        ),
        left=Modulus(Integral(half(t), (t, low, high)) - (high - low) * half(phi)),
        relation="<=",
        right=Integral(Modulus(t - phi), (t, low, high)),
        variables=angles(low, high, phi, x, y),
        conditions=(Le(low, high),),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.identity_half",
        title="The identity half of the rule is two exponential sums: its error is exact in linear time.",
        left=Sum(w[j] * cos(nodes[j] + x) / 2 * cos(2 * nodes[j] + y), (j, 1, n)),
        right=Re(
            exp(I * (x + y)) * Sum(w[j] * exp(3 * I * nodes[j]), (j, 1, n))
            + exp(I * (y - x)) * Sum(w[j] * exp(I * nodes[j]), (j, 1, n))
        )
        * Rational(1, 4),
        variables=(
            *angles(x, y),
            count(n, 3, 3),
            Variable(symbol=w, low=0, high=2, length=3),
            Variable(symbol=nodes, low=-4, high=4, length=3),
        ),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.phase_mismatch",
        title="An output phase psi instead of 2 phi moves one height by at most the mismatch.",
        left=Modulus(cos(psi + y) - cos(2 * phi + y)),
        relation="<=",
        right=Modulus(psi - 2 * phi),
        variables=angles(phi, psi, y),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.convex",
        title=(
            "The mean distance of a node from its cell is convex in where the cells start: at a point between two "
            "it is at most the weighted mean."
        ),
        left=Integral(Modulus(t + (share * u + (1 - share) * v) - phi), (t, low, high)),
        relation="<=",
        right=share * Integral(Modulus(t + u - phi), (t, low, high))
        + (1 - share) * Integral(Modulus(t + v - phi), (t, low, high)),
        variables=(*angles(low, high, phi, u, v), *reals(share, low=0, high=1)),
        conditions=(Le(low, high), Le(share, 1)),
        source=SOURCE,
    ),
    Statement(
        name="rectangle_bound.doubled",
        title=(
            "Folded: the absolute-value half as a function of twice the phase. Its slope is at most 1/2, so that a "
            "node 2 phi_i in a cell of its own is off by at most half of the mean distance."
        ),
        left=Modulus(Integral(doubled(t), (t, low, high)) - (high - low) * doubled(phi)),
        relation="<=",
        right=Integral(Modulus(t - phi), (t, low, high)) / 2,
        variables=angles(low, high, phi, x, y),
        conditions=(Le(low, high),),
        source=SOURCE,
    ),
)
