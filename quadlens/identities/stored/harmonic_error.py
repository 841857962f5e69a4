"""The error of any weighted rule, as exponential sums: exact up to a tail, and how fast harmonics fall off."""

from sympy import Expr, Function, I, IndexedBase, Integral, Lambda, Le, Ne, Sum, Symbol, cos, exp, pi

from quadlens.identities.conditions import Smooth
from quadlens.identities.functions import Modulus, Re, ReLU
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.symbols import M, alpha, angles, beta, count, m, n, reals, x, y

SOURCE = "derived here"
i, j = Symbol("i", integer=True), Symbol("j", integer=True)
w, phi, psi = IndexedBase("w", nonnegative=True), IndexedBase("phi", real=True), IndexedBase("psi", real=True)
X, Y, c = (IndexedBase(name, real=True) for name in ("X", "Y", "c"))
f = Function("f")
order, rate = Symbol("m", real=True), Symbol("m", positive=True)
kinks, variation = Symbol("K'", nonnegative=True), Symbol("V", nonnegative=True)
end, after = Symbol("K", integer=True, nonnegative=True), Symbol("d", integer=True, nonnegative=True)
nodes = (i, 1, n)


def exponential_sum(harmonic: Expr) -> Expr:
    """Return ``E_m = sum_i w_i e^{i (m phi_i + psi_i)}``."""
    return Sum(w[i] * exp(I * (harmonic * phi[i] + psi[i])), nodes)


def uneven(harmonic: Expr) -> Expr:
    """Return ``S_m = sum_i w_i e^{i m phi_i}``: 0 for phases that are even at the order m."""
    return Sum(w[i] * exp(I * harmonic * phi[i]), nodes)


def family(*names: IndexedBase, low: float = -3) -> tuple[Variable, ...]:
    """Return indexed variables of three members."""
    return tuple(Variable(symbol=name, low=low, high=3, length=3) for name in names)


def slope(point: Expr) -> Expr:
    """Return the derivative of ``f`` at a point."""
    return f(x).diff(x).subs(x, point)


def bend(point: Expr) -> Expr:
    """Return the second derivative of ``f`` at a point."""
    return f(x).diff(x, 2).subs(x, point)


STATEMENTS = (
    Statement(
        name="harmonic_error",
        title=(
            "A weighted rule is a combination of exponential sums with known coefficients, up to a tail."
        ),
        left=Modulus(
            Sum(w[i] * (ReLU(cos(phi[i] + x)) * cos(psi[i] + y)), nodes)
            - Re(exp(I * y) * exponential_sum(0)) / pi
            - Re(exp(I * (x + y)) * exponential_sum(1) + exp(I * (y - x)) * exponential_sum(-1)) / 4
            - Sum(
                (-1) ** (j + 1)
                / (pi * (4 * j**2 - 1))
                * Re(
                    exp(I * (2 * j * x + y)) * exponential_sum(2 * j)
                    + exp(I * (y - 2 * j * x)) * exponential_sum(-2 * j)
                ),
                (j, 1, M),
            )
        ),
        relation="<=",
        right=Sum(w[i], nodes) / (pi * (2 * M + 1)),
        variables=(
            *angles(x, y),
            count(n, 3, 3),
            count(M, 1, 6),
            *family(w, low=0),
            *family(phi, psi),
        ),
        source=SOURCE,
    ),
    Statement(
        name="harmonic_error.target",
        title="With psi = 2 phi the order -2 is the target: its sum is the total weight.",
        left=Re(exp(I * (y - 2 * x)) * Sum(w[i] * exp(I * (2 * phi[i] - 2 * phi[i])), nodes)) / (3 * pi),
        right=Sum(w[i], nodes) * cos(y - 2 * x) / (3 * pi),
        variables=(*angles(x, y), count(n, 3, 3), *family(w, low=0)),
        source=SOURCE,
    ),
    Statement(
        name="harmonic_error.supremum",
        title="Whatever the inputs, a combination of exponential sums is at most the sum of their moduli.",
        left=Modulus(Sum(c[i] * Re(exp(I * x) * (X[i] + I * Y[i])), nodes)),
        relation="<=",
        right=Sum(Modulus(c[i]) * Modulus(X[i] + I * Y[i]), nodes),
        variables=(*angles(x), count(n, 3, 3), *family(c, X, Y)),
        source=SOURCE,
    ),
    Statement(
        name="harmonic_error.by_parts",
        title="Two integrations by parts on one arc, for a twice continuously differentiable f.",
        left=Integral(f(x) * exp(-I * order * x), (x, alpha, beta)),
        right=(I * f(beta) / order + slope(beta) / order**2) * exp(-I * order * beta)
        - (I * f(alpha) / order + slope(alpha) / order**2) * exp(-I * order * alpha)
        - Integral(f(x).diff(x, 2) * exp(-I * order * x), (x, alpha, beta)) / order**2,
        variables=angles(alpha, beta) + reals(order, low=0.5, high=6),
        conditions=(Ne(order, 0), Smooth(f, 2)),
        functions={f: Lambda(x, x**3 + exp(x / 2))},
        source="elementary",
    ),
    Statement(
        name="harmonic_error.decay",
        title="The harmonics of ReLU(cos), from the second on, are at most 2/(pi m^2).",
        left=Modulus(Integral(ReLU(cos(x)) * exp(-I * m * x), (x, -pi, pi)) / (2 * pi)),
        relation="<=",
        right=2 / (pi * m**2),
        variables=(count(after, 0, 7),),
        where=((m, 2 + after),),
        source=SOURCE,
    ),
    Statement(
        name="harmonic_error.tail",
        title="What the orders beyond M add up to at most.",
        left=Sum(1 / (M + 1 + after) ** 2, (after, 0, end)),
        relation="<=",
        right=1 / M - 1 / (M + 1 + end),
        variables=(count(M, 1, 6), count(end, 0, 30)),
        source="elementary",
    ),
    Statement(
        name="harmonic_error.arc",
        title=(
            "On one arc, three integrations by parts: beside the values of f at the ends, at most its slopes there "
            "over m^2, and over m^3 its second derivatives there and the integral of its third, in modulus."
        ),
        left=Modulus(
            Integral(f(x) * exp(-I * rate * x), (x, alpha, beta))
            - I * (f(beta) * exp(-I * rate * beta) - f(alpha) * exp(-I * rate * alpha)) / rate
        ),
        relation="<=",
        right=(Modulus(slope(alpha)) + Modulus(slope(beta))) / rate**2
        + (Modulus(bend(alpha)) + Modulus(bend(beta)) + Integral(Modulus(f(x).diff(x, 3)), (x, alpha, beta)))
        / rate**3,
        variables=angles(alpha, beta) + reals(rate, low=0.5, high=6),
        conditions=(Le(alpha, beta), Smooth(f, 3)),
        functions={f: Lambda(x, x**3 + exp(x / 2))},
        source=SOURCE,
    ),
    Statement(
        name="harmonic_error.kink_tail",
        title="The orders beyond M of both signs, each at most K'/m^2 + V/m^3, add up to at most 2K'/M + V/M^2.",
        left=2 * Sum(kinks / (M + 1 + after) ** 2 + variation / (M + 1 + after) ** 3, (after, 0, end)),
        relation="<=",
        right=2 * kinks / M + variation / M**2,
        variables=(*reals(kinks, variation, low=0, high=4), count(M, 1, 6), count(end, 0, 30)),
        source=SOURCE,
    ),
    Statement(
        name="harmonic_error.equidistributed",
        title=(
            "Any weighted phases, psi = 2 phi: the rule is off its integral by at most so much of the moduli of its "
            "exponential sums up to the order 2M + 2, and a tail."
        ),
        left=Modulus(
            Sum(w[i] * (ReLU(cos(phi[i] + x)) * cos(2 * phi[i] + y)), nodes)
            - Sum(w[i], nodes) * cos(y - 2 * x) / (3 * pi)
        ),
        relation="<=",
        right=Modulus(uneven(2)) / pi
        + (Modulus(uneven(3)) + Modulus(uneven(1))) / 4
        + Sum(Modulus(uneven(2 * j + 2)) / (pi * (4 * j**2 - 1)), (j, 1, M))
        + Sum(Modulus(uneven(2 * j - 2)) / (pi * (4 * j**2 - 1)), (j, 2, M))
        + Sum(w[i], nodes) / (pi * (2 * M + 1)),
        variables=(
            *angles(x, y),
            count(n, 3, 3),
            count(M, 1, 6),
            *family(w, low=0),
            *family(phi),
        ),
        source=SOURCE,
    ),
)
