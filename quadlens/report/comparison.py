r"""One input, one logit: what every frequency group adds, as the network's finite sum and as the integral.

For a group k with weighted phases, at input (a, b), ``d = a − b``, and logit c:

    finite sum   Σ_i act(A[a, i] + B[b, i]) u_i cos(ωkc + ψ_i)                       over the group's neurons
    integral     W/2π · ∫ act(ρ H_d(θ))/ρ^D cos(2θ + ωk(c − 2b)) dθ  =  W Re(e^{iωk(c − 2b)} conj ĥ_2(d))

``W = Σ r^D u`` and ``H_d``, ρ as in `quadlens.report.integrand`. The integral is computed four times, by routes that
share no code: the closed form over the arcs between the zeros of H_d, QUADPACK (scipy), mpmath to a chosen number of
digits, and balls that are proved to contain it. The three parameters that describe it, W, ρ and the coefficients of
``H_d``, are floats, taken as exact: the balls enclose the integral of *these* numbers. The finite sum is measured, in
float64. All values are in logits.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.data_frame import data_frame
from quadlens.errors import CircuitError, OptionError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup, form_of
from quadlens.quadrature.adaptive import adaptive_harmonics
from quadlens.quadrature.balls import harmonic_balls
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.high_precision import harmonics_to_digits
from quadlens.report.integrand import mean_amplitude, node_weights, waveforms
from quadlens.text_table import html_table, text_table

DIGITS = 20
"""Decimal digits that mpmath and the balls are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyComparison:
    """One frequency group at one input and logit, in logits.

    ``finite_sum`` measured; ``closed_form``, ``scipy`` and ``mpmath`` (a decimal string) approximate one integral;
    ``ball`` is ``(low, high)``, decimal strings, proved to contain it.
    """

    frequency: int
    neurons: int
    finite_sum: float
    closed_form: float
    scipy: float
    mpmath: str
    ball: tuple[str, str]

    @property
    def difference(self) -> float:
        """The finite sum less the integral: what these neurons' rectangles miss, measured."""
        return self.finite_sum - self.closed_form


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The finite sums of a network beside their integrals at one input (a, b) and one logit c.

    ``logit`` is the network's own; ``rest`` what of it is in no row: silent neurons, the skip path, and what the
    neurons' output weights hold outside the wave of their group's frequency. ``renumbered`` says what the inputs of a
    network of another task than a + b stand for: ``a`` and ``b`` are then shown as x and y.
    """

    p: int
    a: int
    b: int
    c: int
    logit: float
    frequencies: tuple[FrequencyComparison, ...]
    renumbered: str | None = None

    @property
    def rest(self) -> float:
        """``logit`` less the finite sums."""
        return self.logit - sum(row.finite_sum for row in self.frequencies)

    def __getitem__(self, frequency: int) -> FrequencyComparison:
        for row in self.frequencies:
            if row.frequency == frequency and not isinstance(frequency, bool):
                return row
        shown = ", ".join(str(row.frequency) for row in self.frequencies) or "none"
        raise OptionError(f"no row for frequency {frequency!r}; there are {shown}")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, each row with its ``difference``."""
        head = {name: getattr(self, name) for name in ("p", "a", "b", "c", "logit", "rest")}
        rows = [asdict(row) | {"ball": list(row.ball), "difference": row.difference} for row in self.frequencies]
        return head | {"frequencies": rows}

    def to_dataframe(self) -> Any:
        """Return a pandas data frame with a row for each frequency."""
        return data_frame(self.to_dict()["frequencies"], index="frequency")

    @property
    def heading(self) -> str:
        """What is compared where, in a line."""
        first, second = ("a", "b") if self.renumbered is None else ("x", "y")
        return f"{first} = {self.a}, {second} = {self.b}, c = {self.c} (mod {self.p}): logit {self.logit:.6g}"

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the columns and the rows that are shown."""
        columns = ["k", "neurons", "finite sum", "closed form", "scipy", "mpmath", "ball ±", "difference"]
        return columns, [
            [str(row.frequency), str(row.neurons)]
            + [f"{value:+.6f}" for value in (row.finite_sum, row.closed_form, row.scipy, float(row.mpmath))]
            + [f"{_half_width(row.ball):.0e}", f"{row.difference:+.6f}"]
            for row in self.frequencies
        ]

    def __repr__(self) -> str:
        said = [] if self.renumbered is None else [self.renumbered]
        return "\n".join([f"Comparison at {self.heading}", *said, *text_table(*self.table())])

    def _repr_html_(self) -> str:
        said = "" if self.renumbered is None else f"; {self.renumbered}"
        return html_table(f"Finite sums and integrals at {self.heading}{said}", *self.table())


def compare(
    circuit: Circuit, a: int, b: int, c: int | None = None, *, form: AmplitudePhaseForm | None = None
) -> Comparison:
    """Compare what each frequency group adds to one logit with the integral that it approximates.

    Parameters
    ----------
    a, b : the input, taken mod p
    c : the logit, taken mod p; by default ``a + b``, the right answer
    form : the circuit's amplitude–phase form, where it is there already

    Raises
    ------
    CircuitError
        If the first argument is not a circuit, or no neuron of it has a wave.
    OptionError
        If a, b or c is not a whole number.
    """
    circuit = require_circuit(circuit, "compare")
    a, b = whole_mod(a, circuit.p, "a"), whole_mod(b, circuit.p, "b")
    c = (a + b) % circuit.p if c is None else whole_mod(c, circuit.p, "c")
    form = form_of(circuit, form)
    groups = [group for group in form.groups if node_weights(form, group).sum() > 0]
    if not groups:
        raise CircuitError("no neuron of this network has a wave, so that there is no integral to compare it with")
    values = activation_named(circuit.activation).apply(circuit.A[a] + circuit.B[b])
    logit = float(values @ circuit.U[:, c] + circuit.S_a[a, c] + circuit.S_b[b, c])
    return Comparison(
        p=circuit.p,
        a=a,
        b=b,
        c=c,
        logit=logit,
        renumbered=circuit.provenance.renumbered,
        frequencies=tuple(_row(circuit, form, group, (a, b, c), values[group.members]) for group in groups),
    )


def _row(
    circuit: Circuit, form: AmplitudePhaseForm, group: FrequencyGroup, place: Sequence[int], values: Any
) -> FrequencyComparison:
    a, b, c = place
    p, k, omega, members = circuit.p, group.frequency, circuit.omega, group.members
    finite = float((values * form.u[members]) @ np.cos(omega * (k * c % p) + form.psi[members]))
    # of a homogeneous activation ρ cancels
    rho = 1.0 if activation_named(form.activation).degree is not None else mean_amplitude(form, group)
    scale = float(node_weights(form, group).sum()) / rho
    H = rho * waveforms(form, group)[(a - b) % p]
    angle = omega * (k * (c - 2 * b) % p)
    turn = complex(np.cos(angle), np.sin(angle))
    closed = scale * (turn * np.conj(waveform_harmonics(H, (2,), form.activation)[0])).real
    adaptive = scale * (turn * np.conj(adaptive_harmonics(H, (2,), form.activation)[0])).real
    precise = harmonics_to_digits(H, (2,), form.activation, digits=DIGITS)[0]
    return FrequencyComparison(
        frequency=k,
        neurons=int(members.size),
        finite_sum=finite,
        closed_form=float(closed),
        scipy=float(adaptive),
        mpmath=_decimal(scale, turn, precise),
        ball=_ends(scale, turn, harmonic_balls(H, (2,), form.activation, digits=DIGITS)[0]),
    )


def _decimal(scale: float, turn: complex, harmonic: Any) -> str:
    """Return ``scale Re(turn conj harmonic)``, all three taken as exact, to ``DIGITS`` digits."""
    import mpmath

    context = mpmath.mp.clone()
    context.dps = DIGITS + 15
    value = scale * (context.mpf(turn.real) * harmonic.real + context.mpf(turn.imag) * harmonic.imag)
    return str(context.nstr(value, DIGITS))


def _ends(scale: float, turn: complex, ball: Any) -> tuple[str, str]:
    """Return the ends of ``scale Re(turn conj ball)``, rounded outward."""
    from flint import arb, ctx

    with ctx.workprec(4 * DIGITS + 64):
        value = arb(scale) * (arb(turn.real) * ball.real + arb(turn.imag) * ball.imag)
        value *= arb(10) ** (DIGITS + 2)
        return _shifted(value.lower().floor().unique_fmpz()), _shifted(value.upper().ceil().unique_fmpz())


def _shifted(units: Any) -> str:
    """Return ``units · 10^-(DIGITS + 2)`` as a decimal string, exactly."""
    from decimal import Context, Decimal

    return f"{Decimal(int(units)).scaleb(-(DIGITS + 2), Context(prec=10**3)):f}"


def _half_width(ball: tuple[str, str]) -> float:
    from decimal import Decimal

    low, high = (Decimal(end) for end in ball)
    return float((high - low) / 2)


def whole_mod(value: Any, p: int, name: str) -> int:
    """Return a whole number mod p.

    Raises
    ------
    OptionError
        If it is not a whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise OptionError(f"{name} must be a whole number, taken mod p; got {value!r}")
    return int(value) % p
