"""Every Fourier coefficient of ReLU(cos x) and of |cos x|, the series and its tail."""

from sympy import I, Integral, Ne, Rational, S, Sum, Symbol, cos, exp, pi

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import M, angles, count, j, m, reals, x

SOURCE = "classical (the half-wave rectifier); proved here"
rate = Symbol("m", real=True)
circle = (x, -pi, pi)
h_m, g_m = Symbol(r"\hat{h}_m"), Symbol(r"\hat{g}_m")

STATEMENTS = (
    Statement(
        name="rectified_cosine",
        title="The harmonics of ReLU(cos x), at every real m but 1 and -1.",
        left=Integral(ReLU(cos(x)) * exp(-I * rate * x), circle) / (2 * pi),
        right=cos(pi * rate / 2) / (pi * (1 - rate**2)),
        variables=reals(rate, low=-6, high=6),
        conditions=(Ne(rate**2, 1),),
        source=SOURCE,
        defines=h_m,
    ),
    Statement(
        name="rectified_cosine.first",
        title="The harmonic at m = 1 is 1/4.",
        left=Integral(ReLU(cos(x)) * exp(-I * x), circle) / (2 * pi),
        right=Rational(1, 4),
        variables=(),
        source=SOURCE,
        defines=Symbol(r"\hat{h}_1"),
    ),
    Statement(
        name="rectified_cosine.minus_first",
        title="The harmonic at m = -1 is 1/4.",
        left=Integral(ReLU(cos(x)) * exp(I * x), circle) / (2 * pi),
        right=Rational(1, 4),
        variables=(),
        source=SOURCE,
        defines=Symbol(r"\hat{h}_{-1}"),
    ),
    Statement(
        name="rectified_cosine.odd",
        title="All odd harmonics but the first vanish.",
        left=Integral(ReLU(cos(x)) * exp(-I * (2 * j + 1) * x), circle) / (2 * pi),
        right=S.Zero,
        variables=(count(j, -4, 4),),
        conditions=(Ne(j, 0), Ne(j, -1)),
        source=SOURCE,
    ),
    Statement(
        name="rectified_cosine.even",
        title="The even harmonics alternate and fall off like the inverse square.",
        left=Integral(ReLU(cos(x)) * exp(-2 * I * j * x), circle) / (2 * pi),
        right=(-1) ** j / (pi * (1 - 4 * j**2)),
        variables=(count(j, -4, 4),),
        source=SOURCE,
    ),
    Statement(
        name="rectified_cosine.absolute",
        title="The harmonics of |cos x|: twice those of ReLU(cos x) at even m, and none at odd m.",
        left=Integral(Modulus(cos(x)) * exp(-I * m * x), circle) / (2 * pi),
        right=(1 + (-1) ** m) * cos(pi * m / 2) / (pi * (1 - m**2)),
        variables=(count(m, -6, 6),),
        conditions=(Ne(m**2, 1),),
        source=SOURCE,
        defines=g_m,
    ),
    Statement(
        name="rectified_cosine.absolute_first",
        title="|cos x| has no first harmonic.",
        left=Integral(Modulus(cos(x)) * exp(-I * x), circle) / (2 * pi),
        right=S.Zero,
        variables=(),
        source=SOURCE,
    ),
    Statement(
        name="rectified_cosine.series",
        title="The Fourier series of ReLU(cos x), with a bound on what is left after M even harmonics.",
        left=Modulus(
            ReLU(cos(x))
            - 1 / pi
            - cos(x) / 2
            - Sum(2 * (-1) ** (j + 1) * cos(2 * j * x) / (pi * (4 * j**2 - 1)), (j, 1, M))
        ),
        relation="<=",
        right=1 / (pi * (2 * M + 1)),
        variables=(*angles(x), count(M, 1, 12)),
        source=SOURCE,
    ),
)
