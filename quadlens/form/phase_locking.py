r"""The rule ψ = 2φ tested on every neuron, not plotted for a few.

For a group with weights ``w_i = r_i u_i`` and mismatch ``δ_i = ψ_i - 2φ_i`` (radians in [-π, π)) the share of the
output phases' spread that the rule explains, with no fitted number, is

    R² = 1 - Σ w_i |e^{iψ_i} - e^{2iφ_i}|² / Σ w_i |e^{iψ_i} - m|²,     m = Σ w_i e^{iψ_i} / Σ w_i:

1 where the rule is exact, 0 where it does no better than one constant phase, below 0 where it does worse. Its interval
is a bootstrap over neurons. Where a group is not locked at 2φ, the multiple of φ that its output phases follow best is
named.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray, wrap_angle
from quadlens.claims import Estimate
from quadlens.digits import below_one
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import NEGLIGIBLE_SHARE, AmplitudePhaseForm, FrequencyGroup

LOCKED_R_SQUARED = 0.9  # a group is called locked where the interval of R² lies above
LOCKED = f"R² above {LOCKED_R_SQUARED:g} with its whole 95 % interval"
LOWEST_R_SQUARED = -1.0  # what unrelated, evenly spread phases give; anything worse is reported as this
FOLLOWED = 0.9  # coherence from which output phases are said to follow a multiple of φ
MULTIPLES = (-4, -3, -2, -1, 0, 1, 2, 3, 4)  # of φ, that a group's output phases might follow


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupLocking:
    """How well a group obeys ψ = 2φ.

    ``share``: of the network's whole weight. ``members (n,)``: its neurons with a wave; ``mismatch (n,)``: ψ - 2φ of
    each, radians; ``breakers``: the neurons off by more than the tolerance, worst first; ``rms``: weighted root mean
    square of the mismatch; ``r_squared``: None for fewer than two neurons. ``follows``: the multiple m of φ with the
    largest ``coherence = |Σ w e^{i(ψ - mφ)}| / Σ w``. ``verdict``: in words.
    """

    frequency: int
    share: float
    members: IntArray
    mismatch: FloatArray
    breakers: IntArray
    rms: float
    r_squared: Estimate | None
    follows: int
    coherence: float
    locked: bool
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseLocking:
    """The rule ψ = 2φ over a whole network: one record per frequency, and the silent neurons (no wave, no phase)."""

    tolerance: float
    groups: tuple[GroupLocking, ...]
    silent: IntArray

    @property
    def verdict(self) -> str:
        """Say in one sentence which groups pass the test, by what measure, and how many neurons break the rule."""
        main = [group for group in self.groups if group.share >= NEGLIGIBLE_SHARE]
        free = [str(group.frequency) for group in main if not group.locked]
        small = [str(group.frequency) for group in self.groups if group.share < NEGLIGIBLE_SHARE]
        aside = f"; set aside, under {NEGLIGIBLE_SHARE:.1%} of the weight each: {', '.join(small)}" if small else ""
        if not main:
            return f"no frequency group has weight, so ψ = 2φ is not tested{aside}"
        passed = f"{len(main) - len(free)} of {len(main)} frequency groups pass" if free else _all_pass(len(main))
        unlocked = f"; not locked: {', '.join(free)}" if free else ""
        off, size = sum(group.breakers.size for group in main), sum(group.members.size for group in main)
        broken = f"{off} of {size} neurons are off by more than {self.tolerance:g} rad"
        alone = f", a lone neuron within {self.tolerance:g} rad" if any(g.r_squared is None for g in main) else ""
        return f"{passed} as locked at ψ = 2φ ({LOCKED}{alone}){unlocked}; {broken}{aside}"

    def to_dict(self) -> dict[str, Any]:
        """Return the test as JSON values."""
        return {
            "verdict": self.verdict,
            "tolerance": self.tolerance,
            "silent": self.silent.tolist(),
            "groups": [
                {
                    "frequency": group.frequency,
                    "neurons": int(group.members.size),
                    "share": group.share,
                    "rms": group.rms,
                    "r_squared": None
                    if group.r_squared is None
                    else [group.r_squared.low, group.r_squared.value, group.r_squared.high],
                    "breakers": group.breakers.tolist(),
                    "follows": group.follows,
                    "coherence": group.coherence,
                    "locked": group.locked,
                    "verdict": group.verdict,
                }
                for group in self.groups
            ],
        }


def phase_locking(
    form: AmplitudePhaseForm,
    generator: np.random.Generator,
    *,
    tolerance: float = 0.1,
    draws: int = 1000,
    progress: Callable[[float], None] | None = None,
) -> PhaseLocking:
    """Test ψ = 2φ for every neuron and every group of a form.

    Parameters
    ----------
    form : AmplitudePhaseForm
    generator : numpy Generator
        Draws the bootstrap samples; the same seed gives the same interval.
    tolerance : float, radians
        Neurons whose mismatch is larger break the rule and are listed.
    draws : int
        Bootstrap samples, at least 100.
    progress : called with the fraction done
    """
    if not 0 < tolerance < np.pi:
        raise OptionError(f"the tolerance must be an angle between 0 and π radians; got {tolerance}")
    if draws < 100:
        raise OptionError(f"a bootstrap interval needs at least 100 draws; got {draws}")
    groups = []
    for done, group in enumerate(form.groups):
        tested = _group_locking(form, group, generator, tolerance, draws)
        if tested is not None:
            groups.append(tested)
        if progress is not None:
            progress((done + 1) / len(form.groups))
    return PhaseLocking(tolerance=tolerance, groups=tuple(groups), silent=np.flatnonzero(form.weights == 0))


def r_squared(phi: FloatArray, psi: FloatArray, w: FloatArray) -> FloatArray:
    """Return R² of ψ = 2φ along the last axis (see the module); minus infinity where ψ has no spread and the rule
    fails.
    """
    out = np.exp(1j * psi)
    residual = (w * np.abs(out - np.exp(2j * phi)) ** 2).sum(axis=-1)
    mean = (w * out).sum(axis=-1) / w.sum(axis=-1)
    spread = (w * np.abs(out - mean[..., None]) ** 2).sum(axis=-1)
    # resamples of a single neuron have no spread; the rule then explains all or nothing
    tiny = spread <= 1e-15 * w.sum(axis=-1)
    ratio = residual / np.where(tiny, 1.0, spread)
    return np.asarray(np.where(tiny, np.where(residual <= 1e-15 * w.sum(axis=-1), 1.0, -np.inf), 1 - ratio))


def _group_locking(
    form: AmplitudePhaseForm, group: FrequencyGroup, generator: np.random.Generator, tolerance: float, draws: int
) -> GroupLocking | None:
    members = group.members[form.weights[group.members] > 0]
    if not members.size:
        return None
    phi, psi, w = form.phi[members], form.psi[members], form.weights[members]
    w = w / w.max()
    mismatch = wrap_angle(psi - 2 * phi)
    estimate = _bootstrap(phi, psi, w, generator, draws)
    coherences = [float(np.abs(w @ np.exp(1j * (psi - m * phi))) / w.sum()) for m in MULTIPLES]
    follows = MULTIPLES[int(np.argmax(coherences))]
    off = np.abs(mismatch) > tolerance
    rms = float(np.sqrt(w @ mismatch**2 / w.sum()))
    locked = estimate.low >= LOCKED_R_SQUARED if estimate is not None else not off.any()
    said = _fit(estimate, bool(locked), rms)
    if estimate is not None:
        said += f"; {off.sum()} of {members.size} neurons are off by more than {tolerance:g} rad"
        turn = float(np.angle(w @ np.exp(1j * (psi - follows * phi))))
        said += "" if locked else _instead(follows, max(coherences), turn)
    worst_first = np.argsort(-np.abs(mismatch[off]), kind="stable")
    return GroupLocking(
        frequency=group.frequency,
        share=group.weight / float(form.weights.sum()),
        members=members,
        mismatch=mismatch,
        breakers=members[off][worst_first],
        rms=rms,
        r_squared=estimate,
        follows=follows,
        coherence=max(coherences),
        locked=bool(locked),
        verdict=f"frequency {group.frequency}: {said}",
    )


def _bootstrap(
    phi: FloatArray, psi: FloatArray, w: FloatArray, generator: np.random.Generator, draws: int
) -> Estimate | None:
    if phi.size < 2:
        return None
    value = float(r_squared(phi, psi, w))
    chosen = generator.integers(0, phi.size, (draws, phi.size))
    drawn = np.maximum(r_squared(phi[chosen], psi[chosen], w[chosen]), LOWEST_R_SQUARED)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(
        value=max(value, LOWEST_R_SQUARED),
        low=float(low),
        high=float(high),
        method=f"R² of ψ = 2φ, percentile bootstrap over {phi.size} neurons, {draws} draws, 95 %",
    )


def _all_pass(groups: int) -> str:
    return "the one frequency group passes" if groups == 1 else f"all {groups} frequency groups pass"


def r_squared_shown(estimate: Estimate | None) -> tuple[str, str, str]:
    """Return R² and both ends of its interval in four decimals; what is worse than ``LOWEST_R_SQUARED`` as ``≤ −1``."""
    if estimate is None:
        return ("—", "—", "—")
    value, low, high = (
        f"≤ −{-LOWEST_R_SQUARED:g}" if x <= LOWEST_R_SQUARED else below_one(x)
        for x in (estimate.value, estimate.low, estimate.high)
    )
    return value, low, high


def _fit(estimate: Estimate | None, locked: bool, rms: float) -> str:
    if estimate is None:
        return f"a single neuron, off by {rms:.3f} rad"
    value, low, high = (shown if shown[0] in "<>≤" else f"= {shown}" for shown in r_squared_shown(estimate))
    return f"{'' if locked else 'not '}locked at ψ = 2φ, R² {value} ({low.lstrip('= ')} to {high.lstrip('= ')})"


def _instead(follows: int, coherence: float, turn: float) -> str:
    """Say which multiple of φ the output phases follow in place of 2φ, if they do."""
    multiple, measured = f"{follows}φ".replace("-", "−"), f"coherence {coherence:.2f}, 1 is exact"
    if coherence < FOLLOWED:
        return f"; the output phases follow no multiple of φ from −4 to 4 (nearest: {multiple}, {measured})"
    turned = f", turned by {turn:.2f} rad".replace("-", "−")
    return f"; the output phases follow {multiple}{turned} ({measured})"
