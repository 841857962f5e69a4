r"""The amplitude–phase Fourier form of a circuit: five numbers per neuron and frequency, an output wave, and groups.

With ``f̂_k = (1/p) Σ_a f(a) e^{-iωka}``, for neuron ``i`` with key frequency ``k`` and ``k₂ = 2k mod p``:

    A[a, i] ≈ r Re[e_A e^{iθ_a} + s_A e^{2iθ_a}]            θ_a = ωka + φ
    B[b, i] ≈ r Re[e_B e^{iθ_b} + s_B e^{2iθ_b}] + rκ       θ_b = ωkb + φ
    U[i, c] ≈ u cos(ωkc + ψ)

The pizza rule is ψ = 2φ. Source: arXiv 2412.03773 for the rule; the definitions are those of this module.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray, wrap_angle
from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.circuits.number_range import require_waves
from quadlens.data_frame import data_frame
from quadlens.errors import CircuitError, OptionError
from quadlens.text_table import html_table, text_table

EXPONENTIAL_SUMS = 6
"""Highest multiple ``m`` of the phase whose weighted exponential sum is reported."""

NEGLIGIBLE_SHARE = 1e-3
"""Of the weight: a group with less is listed, measured and bounded, but no sentence on the network counts it."""

PER_NEURON = ("frequency", "r", "phi", "e_A", "e_B", "s_A", "s_B", "kappa", "u", "psi")
"""The numbers that describe one neuron."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrequencyGroup:
    """The neurons that share a key frequency, with their ``r u``-weighted means.

    ``weight`` is ``W = Σ r_i u_i``; ``phase_mismatch_rms`` the weighted root mean square of ``ψ − 2φ`` (radians);
    ``exponential_sums[m − 1] = |Σ r_i u_i e^{imφ_i}| / W``, small when the phases are even; independent random phases
    give ``chance = √(Σ (r_i u_i)²) / W`` in root mean square, each of them.
    """

    frequency: int
    members: IntArray
    weight: float
    e_A: complex
    e_B: complex
    s_A: complex
    s_B: complex
    kappa: float
    phase_mismatch_rms: float
    exponential_sums: tuple[float, ...]
    chance: float

    def __repr__(self) -> str:
        return (
            f"FrequencyGroup(frequency={self.frequency}, neurons={self.members.size}, weight={self.weight:.6g}, "
            f"kappa={self.kappa:.4f}, phase_mismatch_rms={self.phase_mismatch_rms:.4f})"
        )

    def _repr_latex_(self) -> str:
        e_A, e_B, s_A, s_B = (_latex_number(z) for z in (self.e_A, self.e_B, self.s_A, self.s_B))
        turn = rf"e^{{i\omega {self.frequency} d}}"
        return (
            rf"$H_d(\theta) = \operatorname{{Re}}\left[\left({e_A}\, {turn} + {e_B}\right) e^{{i\theta}} "
            rf"+ \left({s_A}\, {turn.replace('i', '2i', 1)} + {s_B}\right) e^{{2i\theta}}\right] "
            rf"{self.kappa:+.4f}$"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the group as JSON values; ``neurons`` is the number of members, a complex number a pair."""
        return {
            "frequency": self.frequency,
            "neurons": int(self.members.size),
            "weight": self.weight,
            **{name: _json_number(getattr(self, name)) for name in ("e_A", "e_B", "s_A", "s_B", "kappa")},
            "phase_mismatch_rms": self.phase_mismatch_rms,
            "exponential_sums": list(self.exponential_sums),
            "chance": self.chance,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AmplitudePhaseForm:
    """The form of every neuron (arrays of shape (n,)) and of every frequency group.

    ``frequency`` is the key frequency k; ``r >= 0`` the mean amplitude of the two input waves and ``phi`` their phase;
    ``e_A, e_B, s_A, s_B`` complex and ``kappa`` real, all relative to ``r``; ``u >= 0`` and ``psi`` the output wave.
    Angles are radians in [−π, π). A neuron without a wave (or one so small beside its bias that the ratios overflow) is
    silent: it gets r = 0, φ = 0, e_A = e_B = 1, s = κ = 0, and the decomposition counts all of it as residual.
    """

    p: int
    activation: str
    frequency: IntArray
    r: FloatArray
    phi: FloatArray
    e_A: ComplexArray
    e_B: ComplexArray
    s_A: ComplexArray
    s_B: ComplexArray
    kappa: FloatArray
    u: FloatArray
    psi: FloatArray
    groups: tuple[FrequencyGroup, ...]

    @property
    def neurons(self) -> int:
        """Number of neurons ``n``."""
        return int(self.frequency.size)

    @property
    def omega(self) -> float:
        """``ω = 2π/p``, radians."""
        return 2 * np.pi / self.p

    @property
    def mismatch(self) -> FloatArray:
        """``ψ − 2φ`` of every neuron, radians in [−π, π)."""
        return wrap_angle(self.psi - 2 * self.phi)

    @property
    def weights(self) -> FloatArray:
        """``w_i = r_i u_i``, shape (n,)."""
        return self.r * self.u

    @property
    def main_groups(self) -> tuple[FrequencyGroup, ...]:
        """The groups that hold at least ``NEGLIGIBLE_SHARE`` of the weight: those that a sentence counts."""
        least = NEGLIGIBLE_SHARE * float(self.weights.sum())
        return tuple(group for group in self.groups if 0 < group.weight >= least)

    def __getitem__(self, frequency: int) -> FrequencyGroup:
        """Return the group of a key frequency."""
        for group in self.groups:
            if group.frequency == frequency and not isinstance(frequency, bool):
                return group
        known = ", ".join(str(group.frequency) for group in self.groups)
        raise OptionError(f"no group has frequency {frequency!r}; there are {known}")

    def to_dict(self, *, per_neuron: bool = False) -> dict[str, Any]:
        """Return the form as JSON values: ``frequencies`` and, on request, ``per_neuron``."""
        out: dict[str, Any] = {
            "p": self.p,
            "neurons": self.neurons,
            "activation": self.activation,
            "frequencies": [group.to_dict() for group in self.groups],
        }
        if per_neuron:
            out["per_neuron"] = [
                {name: _json_number(getattr(self, name)[i]) for name in PER_NEURON} for i in range(self.neurons)
            ]
        return out

    def _table(self) -> tuple[list[str], list[list[str]]]:
        return ["k", "neurons", "weight", "|e_A|", "|e_B|", "|s_A|", "|s_B|", "kappa", "mismatch"], [
            [str(group.frequency), str(group.members.size), f"{group.weight:.4g}"]
            + [f"{abs(wave):.3f}" for wave in (group.e_A, group.e_B, group.s_A, group.s_B)]
            + [f"{group.kappa:.3f}", f"{group.phase_mismatch_rms:.4f}"]
            for group in self.groups
        ]

    def __repr__(self) -> str:
        head = f"AmplitudePhaseForm(p={self.p}, neurons={self.neurons}, {self.activation})"
        return "\n".join([head, *text_table(*self._table())])

    def _repr_html_(self) -> str:
        caption = f"Amplitude–phase form: p = {self.p}, {self.neurons} neurons, {self.activation}"
        return html_table(caption, *self._table())

    def _repr_latex_(self) -> str:
        waves = (
            group._repr_latex_().strip("$").replace("H_d", rf"H_d^{{({group.frequency})}}", 1) for group in self.groups
        )
        return r"$\begin{aligned}" + r"\\".join(wave.replace("=", "&=", 1) for wave in waves) + r"\end{aligned}$"

    def to_dataframe(self, *, per_neuron: bool = False) -> Any:
        """Return a pandas data frame with a row for each frequency group, or for each neuron; waves stay complex."""
        if per_neuron:
            columns = {name: getattr(self, name) for name in PER_NEURON}
            rows = [
                {"neuron": i, **{name: column[i] for name, column in columns.items()}, "mismatch": mismatch}
                for i, mismatch in enumerate(self.mismatch)
            ]
            return data_frame(rows, index="neuron")
        names = ("frequency", "weight", "e_A", "e_B", "s_A", "s_B", "kappa", "phase_mismatch_rms")
        return data_frame(
            (
                {name: getattr(group, name) for name in names} | {"neurons": int(group.members.size)}
                for group in self.groups
            ),
            index="frequency",
        )


def _latex_number(z: complex) -> str:
    """Return a complex number as LaTeX, its imaginary part left out where it would print as zero."""
    if abs(z.imag) < 5e-5:
        return f"{z.real:.4f}"
    return rf"({z.real:.4f} {z.imag:+.4f}i)"


def _json_number(value: Any) -> Any:
    if np.iscomplexobj(value):
        return [float(value.real), float(value.imag)]
    return value.item() if isinstance(value, np.generic) else value


def form_of(circuit: Circuit, form: AmplitudePhaseForm | None) -> AmplitudePhaseForm:
    """Return the form that was given for a circuit, or its fit where none was.

    Raises
    ------
    CircuitError
        If what was given is no form, or has another p, number of neurons or activation than the circuit.
    """
    if form is None:
        return fit(circuit)
    if not isinstance(form, AmplitudePhaseForm):
        raise CircuitError(f"form must be what quadlens.fit(circuit) returns, got {type(form).__name__}")
    for name in ("p", "neurons", "activation"):
        mine, its = getattr(circuit, name), getattr(form, name)
        if mine != its:
            raise CircuitError(f"the form is of another circuit: its {name} is {its}, the circuit's {mine}")
    return form


def fit(circuit: Circuit) -> AmplitudePhaseForm:
    """Return the amplitude–phase form of a circuit. Cost O(pn log p).

    The key frequency of neuron ``i`` is ``argmax_{1≤k≤(p−1)/2} |Â_k|² + |B̂_k|²``, the lowest of equals.

    Raises
    ------
    CircuitError
        If it is not a circuit, or a wave is so large that the square of its amplitude or of its logits could overflow.
    """
    circuit = require_circuit(circuit, "fit")
    p, columns = circuit.p, np.arange(circuit.neurons)
    A_hat, B_hat, U_hat = (np.fft.fft(table, axis=0) / p for table in (circuit.A, circuit.B, circuit.U.T))
    candidates = slice(1, (p - 1) // 2 + 1)
    with np.errstate(over="ignore"):  # refused below
        power = np.square(np.abs(A_hat[candidates])) + np.square(np.abs(B_hat[candidates]))
    k = 1 + np.argmax(power, axis=0).astype(np.int64)
    k2 = 2 * k % p
    first = A_hat[k, columns] + B_hat[k, columns]
    r = np.abs(first)
    with np.errstate(all="ignore"):  # what divides by zero or overflows is silenced below
        rotation = np.conj(first) / r  # e^{-iφ}
        second = secondary_wave_factor(p, k) * rotation**2 / r
        relative = np.stack(
            [
                2 * A_hat[k, columns] * rotation / r,
                2 * B_hat[k, columns] * rotation / r,
                second * A_hat[k2, columns],
                second * B_hat[k2, columns],
                (A_hat[0] + B_hat[0]).real / r,
            ]
        )
    alive = np.isfinite(relative).all(axis=0)
    silent = np.array([1, 1, 0, 0, 0], dtype=np.complex128)
    e_A, e_B, s_A, s_B, kappa = np.where(alive, relative, silent[:, None])
    r = np.where(alive, r, 0.0)
    phi = wrap_angle(np.angle(np.where(alive, first, 1.0)))
    out = 2 * U_hat[k, columns]
    u, psi = np.abs(out), wrap_angle(np.angle(out))
    require_waves(power, r, u)
    numbers = (k, r, phi, e_A, e_B, s_A, s_B, kappa.real, u, psi)
    for array in numbers:
        array.flags.writeable = False
    return AmplitudePhaseForm(
        p=p,
        activation=circuit.activation,
        frequency=k,
        r=r,
        phi=phi,
        e_A=e_A,
        e_B=e_B,
        s_A=s_A,
        s_B=s_B,
        kappa=kappa.real,
        u=u,
        psi=psi,
        groups=tuple(
            _group(frequency, k, r * u, phi, psi, (e_A, e_B, s_A, s_B), kappa.real)
            for frequency in np.unique(k).tolist()
        ),
    )


def secondary_wave_factor(p: int, frequency: IntArray) -> FloatArray:
    """Return the factor that turns ``f̂_{2k}`` into the wave at ``k₂ = 2k mod p``.

    2 as a rule (a real wave is a pair of conjugate coefficients); 1 where ``k₂ = p/2`` is its own conjugate; 0 where
    ``3k ≡ 0``, since ``2k ≡ −k`` there: the wave at ``k₂`` is the key wave itself and must not be counted twice.
    """
    k2 = 2 * frequency % p
    return np.where(3 * frequency % p == 0, 0.0, np.where(2 * k2 % p == 0, 1.0, 2.0))


def _group(
    frequency: int,
    k: IntArray,
    w: FloatArray,
    phi: FloatArray,
    psi: FloatArray,
    waves: tuple[ComplexArray, ...],
    kappa: FloatArray,
) -> FrequencyGroup:
    members = np.flatnonzero(k == frequency).astype(np.int64)
    members.flags.writeable = False
    weight = float(w[members].sum())
    # a group of silent neurons has no weights; its means are then plain ones
    share = w[members] / weight if weight > 0 else np.full(members.size, 1 / members.size)
    mismatch = wrap_angle(psi[members] - 2 * phi[members])
    e_A, e_B, s_A, s_B = (complex(share @ wave[members]) for wave in waves)
    return FrequencyGroup(
        frequency=frequency,
        members=members,
        weight=weight,
        e_A=e_A,
        e_B=e_B,
        s_A=s_A,
        s_B=s_B,
        kappa=float(share @ kappa[members]),
        phase_mismatch_rms=float(np.sqrt(share @ np.square(mismatch))),
        exponential_sums=tuple(
            float(np.abs(share @ np.exp(1j * m * phi[members]))) for m in range(1, EXPONENTIAL_SUMS + 1)
        ),
        chance=float(np.sqrt(share @ share)),
    )
