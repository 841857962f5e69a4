"""Every error that quadlens raises on purpose: one base class, each subclass also a built-in.

A message says what was required, what came, and what to do. The command line prints it on one line and exits with 2.
"""


def kind_of(value: object) -> str:
    """Return the full name of a value's type, for a message that says what came."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


class QuadlensError(Exception):
    """Base of all errors raised on purpose; catch it to catch them all."""


class CircuitError(QuadlensError, ValueError):
    """A circuit's tables do not fit together, or hold a value that is not finite."""


class CheckpointError(QuadlensError, ValueError):
    """A file is not a checkpoint that can be read."""


class UnsupportedModelError(CheckpointError):
    """A checkpoint was understood, and its network is not a constant-attention one-layer circuit."""


class NodeError(QuadlensError, ValueError):
    """Nodes or weights do not make a quadrature rule."""


class WaveformError(QuadlensError, ValueError):
    """A waveform's coefficients or harmonics cannot be integrated."""


class PrecisionError(QuadlensError, ArithmeticError):
    """A result could not be enclosed to the accuracy asked for."""


class DerivationError(QuadlensError, ArithmeticError):
    """A step of a derivation does not hold, or could not be checked."""


class CertificateError(QuadlensError, ValueError):
    """A certificate cannot be computed, read or accepted."""


class ContradictionError(CertificateError):
    """A certificate contradicts itself: what it says is not what its own parts give."""


class OptionError(QuadlensError, ValueError):
    """An option has a value outside its range."""


class OutputError(QuadlensError, OSError):
    """An output cannot be written."""


class DependencyError(QuadlensError, ImportError):
    """An installed package is missing or too old."""
