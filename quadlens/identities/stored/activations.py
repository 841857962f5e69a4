"""Other activations through the same lens: what of them the second harmonic sees, and how few phases x^2 needs."""

from sympy import Expr, Function, Ge, Integral, Lambda, Rational, Sum, Symbol, besseli, cos, erf, exp, pi, sin, sqrt

from quadlens.identities.conditions import Smooth
from quadlens.identities.functions import Modulus
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import angles, count, j, lam, n, phi, reals, t, x, y

SOURCE = "derived here"
circle = (x, -pi, pi)
f, z, q = Function("f"), Symbol("z", real=True), Symbol("q", real=True)
kink = Symbol("c", real=True)
sample = {f: Lambda(z, exp(z) + z**3)}
second = f(z).diff(z, 2).subs(z, lam * cos(x))


def square_rule(nodes: Expr | int, phase: Expr) -> Expr:
    """Return the rule of that many equally spaced phases for the activation x^2."""
    return 2 * pi / nodes * Sum(cos(phase + x) ** 2 * cos(2 * phase + y), (j, 0, nodes - 1))


STATEMENTS = (
    Statement(
        name="activations",
        title=(
            "What is needed of a twice continuously differentiable activation is curvature: its second harmonic is a "
            "weighted mean of its second derivative."
        ),
        left=Integral(f(lam * cos(x)) * cos(2 * x), circle),
        right=lam**2 / 3 * Integral(second * sin(x) ** 4, circle),
        variables=reals(lam),
        functions=sample,
        conditions=(Smooth(f, 2),),
        source=SOURCE,
    ),
    Statement(
        name="activations.even_part",
        title="Only the even part of a continuous activation counts, and the output phase comes out as a cosine.",
        left=Integral(f(cos(x)) * cos(2 * x + t), circle),
        right=cos(t) * Integral((f(cos(x)) + f(-cos(x))) / 2 * cos(2 * x), circle),
        variables=angles(t),
        functions=sample,
        conditions=(Smooth(f, 0),),
        source=SOURCE,
    ),
    Statement(
        name="activations.absolute",
        title="The absolute value: twice ReLU.",
        left=Integral(Modulus(lam * cos(x)) * cos(2 * x + t), circle),
        right=Rational(4, 3) * Modulus(lam) * cos(t),
        variables=angles(t) + reals(lam),
        source=SOURCE,
    ),
    Statement(
        name="activations.kinked",
        title=(
            "A kink at 0, of slopes -c and c, adds its own term, what 2c times a point mass gives for the second "
            "derivative: ReLU is f(z) = z/2 with c = 1/2."
        ),
        left=Integral((f(lam * cos(x)) + kink * Modulus(lam * cos(x))) * cos(2 * x), circle),
        right=lam**2 / 3 * Integral(second * sin(x) ** 4, circle) + Rational(4, 3) * kink * Modulus(lam),
        variables=reals(lam, kink),
        functions=sample,
        conditions=(Smooth(f, 2),),
        source=SOURCE,
    ),
    Statement(
        name="activations.square",
        title="The square.",
        left=Integral((lam * cos(x)) ** 2 * cos(2 * x + t), circle),
        right=pi * lam**2 / 2 * cos(t),
        variables=angles(t) + reals(lam),
        source=SOURCE,
    ),
    Statement(
        name="activations.square_exact",
        title="The square is exact at every finite width from five equally spaced phases on.",
        left=square_rule(n, phi + 2 * pi * j / n),
        right=pi / 2 * cos(y - 2 * x),
        variables=(*angles(phi, x, y), count(n, 5, 12)),
        conditions=(Ge(n, 5),),
        source=SOURCE,
    ),
    Statement(
        name="activations.square_three",
        title="Three phases are enough as well.",
        left=square_rule(3, phi + 2 * pi * j / 3),
        right=pi / 2 * cos(y - 2 * x),
        variables=angles(phi, x, y),
        source=SOURCE,
    ),
    Statement(
        name="activations.square_four",
        title="Four are not: the order 4 is taken for a constant, and the error is as large as the answer.",
        left=square_rule(4, phi + pi * j / 2),
        right=pi / 2 * (cos(y - 2 * x) + cos(4 * phi + 2 * x + y)),
        variables=angles(phi, x, y),
        source=SOURCE,
    ),
    Statement(
        name="activations.gelu",
        title="GELU: its second harmonic in Bessel functions, with an amplitude that is not homogeneous.",
        left=Integral(lam * cos(x) / 2 * (1 + erf(lam * cos(x) / sqrt(2))) * cos(2 * x + t), circle),
        right=2 * sqrt(2 * pi) / 3 * exp(-q) * (q * besseli(0, q) + (q + 1) * besseli(1, q)) * cos(t),
        variables=angles(t) + reals(lam, low=0.25, high=3),
        where=((q, lam**2 / 4),),
        source=SOURCE,
    ),
)
