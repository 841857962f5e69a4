"""The extended ideal in words: how far it goes with how many numbers, and what the network has beyond the lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quadlens.certificates.record.words import r_squared
from quadlens.decomposition.beyond_lens import LEAST
from quadlens.digits import at_least, at_most, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quadlens.certificates.ladder.ideal_distance import IdealDistance
    from quadlens.decomposition.beyond_lens import WaveBeyond
    from quadlens.decomposition.extended_ideal import ExtendedIdeal

MOST_WAVES = 6
"""Waves that a sentence lists."""


def extended(ideal: ExtendedIdeal, proved: IdealDistance | None) -> str:
    """Return how far the extended ideal goes: measured (or estimated, where not all inputs were run), and proved."""
    integrals, first, linear = ideal.kinds()
    over = "measured over all inputs and logits"
    if ideal.sampled is not None:
        over = f"estimated from {ideal.sampled:,} inputs drawn at random"
    if proved is not None and proved.to_mlp is not None and proved.to_mlp.value < 1:
        over += f"; proved: at most {at_most(proved.to_mlp.value)}"
    floor = ideal.curve.invariant_floor
    least = ""
    if floor is not None:
        least = f"; a function of a − b and a + b − c alone could come no closer than {at_least(floor)} (measured)"
    return (
        f"With {ideal.parameters:,} numbers ({len(ideal.waveforms)} waveforms, {integrals:,} integrals, {first:,} "
        f"first-order sums, {linear:,} terms of the linear half; {ideal.indices:,} small integers that name them are "
        f"not counted) the extended ideal is at {number(ideal.relative_l2)} (R² {r_squared(ideal.r_squared)}, {over})"
        f"{least}."
    )


def beyond_lens(waves: Sequence[WaveBeyond]) -> str:
    """Return what the neurons carry beyond the lens: the strongest waves, each with the phase that it turns with."""
    told = "Beyond the lens's waves (key, 2k at 2φ, constant)"
    if not waves:
        return f"{told} the extended ideal's waveforms hold none of at least {LEAST:g} of the key wave (fitted)."
    shown = waves[:MOST_WAVES]
    listed = "; ".join(
        f"those of {k}: {', '.join(_wave(wave) for wave in shown if wave.frequency == k)}"
        for k in dict.fromkeys(wave.frequency for wave in shown)
    )
    more = f"; and {len(waves) - MOST_WAVES} more of at least {LEAST:g}" if len(waves) > MOST_WAVES else ""
    return f"{told} the neurons carry, φ their phase, amplitude relative to the key wave (fitted): {listed}{more}."


def _wave(wave: WaveBeyond) -> str:
    named = {"constant": "a constant", "key": f"another group's key {wave.q}", "other": f"the frequency {wave.q}"}
    what = named.get(wave.name, "k" if wave.name == "1k" else f"{wave.name} (frequency {wave.q})")
    size, multiple = number(wave.amplitude, 2), wave.multiple
    if multiple == 0:
        return f"{what} alike in all {size}"
    return f"{what} at {'−' if multiple < 0 else ''}{abs(multiple) if abs(multiple) > 1 else ''}φ {size}"
