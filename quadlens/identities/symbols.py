"""The symbols of the identities, once: real unless said otherwise, integers where they count something."""

from sympy import Symbol, symbols

from quadlens.identities.statement import Variable

# Residues (any real numbers in the identities), the frequency k and omega = 2 pi / p.
a, b, c, k, omega = symbols("a b c k omega", real=True)
# Phases and angles.
phi, psi, theta, alpha, beta, gamma, delta = symbols("phi psi theta alpha beta gamma delta", real=True)
s, t, x, y, u, v = symbols("s t x y u v", real=True)
# Amplitudes, weights.
lam, W = Symbol("lambda", real=True), Symbol("W", real=True)
# Counts.
j, m = Symbol("j", integer=True), Symbol("m", integer=True)
n = Symbol("n", integer=True, positive=True)
M = Symbol("M", integer=True, positive=True)


def angles(*names: Symbol) -> tuple[Variable, ...]:
    """Return variables that range over a turn or so."""
    return tuple(Variable(symbol=symbol, low=-4, high=4) for symbol in names)


def residues(*names: Symbol) -> tuple[Variable, ...]:
    """Return variables that range over residues and frequencies, as real numbers, with omega."""
    ranged = tuple(Variable(symbol=symbol, low=-9, high=9) for symbol in names)
    return (*ranged, Variable(symbol=omega, low=0.0625, high=1))


def reals(*names: Symbol, low: float = -2, high: float = 2) -> tuple[Variable, ...]:
    """Return variables that range over an interval."""
    return tuple(Variable(symbol=symbol, low=low, high=high) for symbol in names)


def count(symbol: Symbol, low: int, high: int) -> Variable:
    """Return an integer variable."""
    return Variable(symbol=symbol, low=low, high=high, integer=True)
