"""Equally spaced phases: which harmonics they see, the error in closed form, its rate, and where exactness ends."""

from sympy import Add, Expr, Ge, Integral, Le, Ne, Rational, S, Sum, Symbol, cos, pi, sin

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import angles, count, j, m, n, phi, reals, t, v, x, y

SOURCE = "derived here"
N = Symbol("N", integer=True, positive=True)
L = Symbol("L", integer=True, positive=True)
order = Symbol("l", integer=True)
q, rest = Symbol("q", positive=True), Symbol("r", nonnegative=True)
phase = phi + 2 * pi * j / n
steps = (j, 0, n - 1)
node = -pi / 2 + pi / (2 * N) + v + pi * j / N
seen = (2 * order + 1) * (2 * L + 1) - 2
total = pi / N * Sum(ReLU(cos(node)) * cos(2 * node + t), (j, 0, 2 * N - 1))


def coefficient(harmonic: Expr) -> Expr:
    """Return the harmonic of ReLU(cos) at an order that is neither 1 nor -1."""
    return cos(pi * harmonic / 2) / (pi * (1 - harmonic**2))


def alias(number: Expr) -> Expr:
    """Return what the order ``number n - 2`` contributes to the rule."""
    harmonic = number * n - 2
    return coefficient(harmonic) * cos(number * n * phi + harmonic * x + y)


rule = 2 * pi / n * Sum(ReLU(cos(phase + x)) * cos(2 * phase + y), steps)
target = Rational(2, 3) * cos(y - 2 * x)

STATEMENTS = (
    Statement(
        name="equally_spaced_phases",
        title=(
            "An even number 2N of equally spaced phases, in closed form: v is the offset of the nodes from the kinks."
        ),
        left=total,
        right=pi / (2 * N) * (cos(t + v) / sin(pi / (2 * N)) - cos(t + 3 * v) / sin(3 * pi / (2 * N))),
        variables=(*angles(t), count(N, 2, 12), *reals(v, low=-1.6, high=1.6)),
        conditions=(Ge(N, 2), Le(-pi / (2 * N), v), Le(v, pi / (2 * N))),
        source=SOURCE,
    ),
    Statement(
        name="equally_spaced_phases.exact",
        title="Every harmonic of order 1 to n - 1 is integrated exactly.",
        left=Sum(cos(m * phase + y), steps),
        right=S.Zero,
        variables=(*angles(phi, y), count(n, 2, 9), count(m, 1, 8)),
        conditions=(Ge(m, 1), Le(m, n - 1)),
        source=SOURCE,
    ),
    Statement(
        name="equally_spaced_phases.alias",
        title="The order n is the first that is not: its multiples are taken for constants.",
        left=Sum(cos(order * n * phase + y), steps),
        right=n * cos(order * n * phi + y),
        variables=(*angles(phi, y), count(n, 1, 9), count(order, -3, 3)),
        source=SOURCE,
    ),
    Statement(
        name="equally_spaced_phases.size",
        title="The aliased coefficients, at the orders q - 2 with q = l n >= 6, fall off like the inverse square.",
        left=Modulus(coefficient(q - 2)),
        relation="<=",
        right=12 / (5 * pi * q**2),
        variables=reals(rest, low=0, high=30),
        where=((q, 6 + rest),),
        source=SOURCE,
    ),
    Statement(
        name="equally_spaced_phases.size_below",
        title="So do those at the orders -q - 2.",
        left=Modulus(coefficient(q + 2)),
        relation="<=",
        right=12 / (5 * pi * q**2),
        variables=reals(rest, low=0, high=30),
        where=((q, 6 + rest),),
        source=SOURCE,
    ),
    Statement(
        name="equally_spaced_phases.aliasing",
        title=(
            "The error of any number of equally spaced phases is the sum of its aliases, with a bound on those "
            "left out."
        ),
        left=Modulus(Add(rule, -target, -Sum(2 * pi * (alias(order) + alias(-order)), (order, 1, L)), evaluate=False)),
        relation="<=",
        right=48 / (5 * n**2 * L),
        variables=(*angles(phi, x, y), count(n, 6, 30), count(L, 1, 9)),
        conditions=(Ge(n, 6),),
        source=SOURCE,
    ),
    Statement(
        name="equally_spaced_phases.rate",
        title="So the error is at most 96/(5 n^2): the rule converges like the inverse square of the width.",
        left=Modulus(rule - target),
        relation="<=",
        right=Rational(96, 5) / n**2,
        variables=(*angles(phi, x, y), count(n, 6, 40)),
        conditions=(Ge(n, 6),),
        source=SOURCE,
    ),
    Statement(
        name="equally_spaced_phases.sharp",
        title=(
            "With nodes on the kinks (v = pi/2N, t = 0) the error of 2N phases, relative to 2/3, is "
            "(3 pi/4N)(cot(pi/2N) - cot(3 pi/2N)) - 1."
        ),
        left=total.subs({v: pi / (2 * N), t: S.Zero}, simultaneous=True) - Rational(2, 3),
        right=Rational(2, 3)
        * (
            3
            * pi
            / (4 * N)
            * (cos(pi / (2 * N)) / sin(pi / (2 * N)) - cos(3 * pi / (2 * N)) / sin(3 * pi / (2 * N)))
            - 1
        ),
        variables=(count(N, 2, 12),),
        conditions=(Ge(N, 2),),
        source=SOURCE,
    ),
    Statement(
        name="equally_spaced_phases.odd",
        title=(
            "The harmonic of ReLU(cos) that an odd number n = 2L + 1 of phases sees at an alias of odd number 2l + 1 "
            "is 0, but at the orders 1 and -1: for n >= 5 only the even aliases are left, for n = 3 the order 1, too."
        ),
        left=Integral(ReLU(cos(t)) * cos(seen * t), (t, -pi, pi)),
        right=S.Zero,
        variables=(count(order, -3, 3), count(L, 2, 6)),
        conditions=(Ne(seen, 1), Ne(seen, -1)),
        source=SOURCE,
    ),
)
