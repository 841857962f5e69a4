"""Independent random phases: the mean of the rule is the integral, its variance falls off like 1/n."""

from sympy import Expr, Function, IndexedBase, Integral, Lambda, Rational, S, Sum, Symbol, cos, pi, sin, symbols

from quadlens.identities.conditions import Smooth
from quadlens.identities.functions import ReLU
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.symbols import angles, count, j, n, phi, reals, t, x, y

SOURCE = "derived here"
mu = Symbol("mu", real=True)
first, second = symbols("phi_1 phi_2", real=True)
w_1, w_2 = symbols("w_1 w_2", real=True)
w = IndexedBase("w", nonnegative=True)
f, g = Function("f"), Function("g")
s_1, s_2, mu_1, mu_2 = symbols("s' s'' mu_1 mu_2", real=True)
kappa, p_1, p_2, q_1, q_2 = symbols("kappa p' p'' q' q''", real=True)
waveform = kappa + p_1 * cos(t) - p_2 * sin(t) + q_1 * cos(2 * t) - q_2 * sin(2 * t)
variance = Rational(1, 8) - cos(y - 2 * x) ** 2 / (9 * pi**2)


def target(angle: Symbol) -> Expr:
    """Return ``h(angle) = ReLU(cos(angle + x)) cos(2 angle + y)``."""
    return ReLU(cos(angle + x)) * cos(2 * angle + y)


def centred(angle: Symbol) -> Expr:
    """Return ``h(angle)`` less its mean."""
    return target(angle) - mu


def mean(integrand: Expr, *variables: Symbol) -> Expr:
    """Return the mean over a turn of each variable."""
    return Integral(integrand, *((variable, -pi, pi) for variable in variables)) / (2 * pi) ** len(variables)


STATEMENTS = (
    Statement(
        name="random_phases",
        title="Variance of one node at a uniformly random phase.",
        left=mean(centred(phi) ** 2, phi),
        right=variance,
        variables=angles(x, y),
        where=((mu, cos(y - 2 * x) / (3 * pi)),),
        source=SOURCE,
    ),
    Statement(
        name="random_phases.mean",
        title="Its mean is the integral's: the rule has no bias.",
        left=mean(target(phi), phi),
        right=cos(y - 2 * x) / (3 * pi),
        variables=angles(x, y),
        source=SOURCE,
    ),
    Statement(
        name="random_phases.second_moment",
        title="Its second moment does not depend on the input.",
        left=mean(target(phi) ** 2, phi),
        right=Rational(1, 8),
        variables=angles(x, y),
        source=SOURCE,
    ),
    Statement(
        name="random_phases.uncorrelated",
        title="Two independent nodes are uncorrelated.",
        left=mean(centred(first) * centred(second), first, second),
        right=S.Zero,
        variables=angles(x, y),
        where=((mu, cos(y - 2 * x) / (3 * pi)),),
        ball_left=mean(centred(first), first) * mean(centred(second), second),
        source=SOURCE,
    ),
    Statement(
        name="random_phases.rule",
        title="Two independent nodes: their variances add up with squared weights.",
        left=mean((w_1 * centred(first) + w_2 * centred(second)) ** 2, first, second),
        right=(w_1**2 + w_2**2) * variance,
        variables=angles(x, y) + reals(w_1, w_2),
        where=((mu, cos(y - 2 * x) / (3 * pi)),),
        ball_left=w_1**2 * mean(centred(first) ** 2, first)
        + w_2**2 * mean(centred(second) ** 2, second)
        + 2 * w_1 * w_2 * mean(centred(first), first) * mean(centred(second), second),
        source=SOURCE,
    ),
    Statement(
        name="random_phases.equal_weights",
        title=(
            "The squares of n weights add up to at least 1/n of the squared sum, as for equal weights."
        ),
        left=Sum(w[j], (j, 1, n)) ** 2 / n,
        relation="<=",
        right=Sum(w[j] ** 2, (j, 1, n)),
        variables=(count(n, 4, 4), Variable(symbol=w, low=0, high=2, length=4)),
        source="elementary (Cauchy and Schwarz); proved here",
    ),
    Statement(
        name="random_phases.one_more",
        title=(
            "Whatever the sum s' + i s'' of the nodes so far, one more independent node adds w times its mean to it, "
            "and w^2 times its variance to the mean square."
        ),
        left=mean((s_1 + w_1 * f(phi)) ** 2 + (s_2 + w_1 * g(phi)) ** 2, phi),
        right=(s_1 + w_1 * mu_1) ** 2
        + (s_2 + w_1 * mu_2) ** 2
        + w_1**2 * (mean(f(phi) ** 2 + g(phi) ** 2, phi) - mu_1**2 - mu_2**2),
        variables=reals(s_1, s_2, w_1),
        where=((mu_1, mean(f(phi), phi)), (mu_2, mean(g(phi), phi))),
        conditions=(Smooth(f, 0), Smooth(g, 0)),
        functions={f: Lambda(x, cos(x) + x**2 / 4), g: Lambda(x, sin(x) + x / 2)},
        source=SOURCE,
    ),
    Statement(
        name="random_phases.any_waveform",
        title=(
            "The second moment of a node with any waveform H of degree 2: the harmonics of H times those of ReLU(H), "
            "because ReLU(H)^2 = H ReLU(H)."
        ),
        left=mean(ReLU(waveform) ** 2, t),
        right=kappa * mean(ReLU(waveform), t)
        + p_1 * mean(ReLU(waveform) * cos(t), t)
        - p_2 * mean(ReLU(waveform) * sin(t), t)
        + q_1 * mean(ReLU(waveform) * cos(2 * t), t)
        - q_2 * mean(ReLU(waveform) * sin(2 * t), t),
        variables=reals(kappa, p_1, p_2, q_1, q_2),
        source=SOURCE,
    ),
)
