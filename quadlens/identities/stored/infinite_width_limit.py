"""From the sum over neurons to the integral, and the logits that the integral gives."""

from sympy import Expr, Integral, Rational, Sum, Symbol, cos, pi, sin

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import W, a, angles, b, c, count, j, k, n, omega, phi, reals, residues, x, y

SOURCE = "the infinite-width lens of arXiv 2412.03773; proved here"
circle = (phi, -pi, pi)
Z = Symbol("Z_k", real=True)


def target(angle: Expr) -> Expr:
    """Return ``h(angle) = ReLU(cos(angle + x)) cos(2 angle + y)``."""
    return ReLU(cos(angle + x)) * cos(2 * angle + y)


STATEMENTS = (
    Statement(
        name="infinite_width_limit",
        title=(
            "The logits of infinitely many neurons of one frequency: the pizza factor of a - b times a wave in a + "
            "b - c."
        ),
        left=W
        / (2 * pi)
        * Integral(ReLU(cos(omega * k * a + phi) + cos(omega * k * b + phi)) * cos(omega * k * c + 2 * phi), circle),
        right=2 * W / (3 * pi) * Modulus(cos(omega * k * (a - b) / 2)) * cos(omega * k * (a + b - c)),
        variables=residues(a, b, c, k) + reals(W, low=0),
        source=SOURCE,
    ),
    Statement(
        name="infinite_width_limit.sum_to_integral",
        title=(
            "With n equally spaced phases from 0 on, equal weights and psi = 2 phi, the sum is the integral to within "
            "2 pi^2 / n."
        ),
        left=Modulus(2 * pi / n * Sum(target(2 * pi * j / n), (j, 0, n - 1)) - Rational(2, 3) * cos(y - 2 * x)),
        relation="<=",
        right=2 * pi**2 / n,
        variables=(*angles(x, y), count(n, 1, 40)),
        source="derived here",
    ),
    Statement(
        name="infinite_width_limit.margin",
        title="In the limit, one frequency's logit at c = a + b less that at any c, as a square.",
        left=Z - Z * cos(omega * k * (a + b - c)),
        right=2 * Z * sin(omega * k * (a + b - c) / 2) ** 2,
        variables=residues(a, b, c, k),
        where=((Z, 2 / (3 * pi) * Modulus(cos(omega * k * (a - b) / 2))),),
        source="derived here",
    ),
)
