"""What the waveforms of a network hold beyond the lens, the strongest wave first."""

from dataclasses import dataclass

import numpy as np

from quadlens.decomposition.phase_modulation import PhaseModulation

LEAST = 0.02
"""Amplitude relative to the key wave's, below which a wave is not listed."""

HIGHEST_NAMED = 6
"""A frequency is called jk for j up to this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveBeyond:
    """A wave of the neurons with key frequency ``frequency`` at ``q``, turning with ``multiple`` l times their phase.

    ``name``: ``constant``, ``jk`` (locked where l = j), ``key`` (another waveform's), or ``other``; for ``jk`` the
    multiple l is that of the wave at jk mod p. ``amplitude``: root of the squares of both sides, relative to the key
    wave's.
    """

    frequency: int
    q: int
    multiple: int
    name: str
    amplitude: float

    def to_dict(self) -> dict[str, int | str | float]:
        """Return the wave as JSON values."""
        return {
            "frequency": self.frequency,
            "q": self.q,
            "l": self.multiple,
            "name": self.name,
            "amplitude": self.amplitude,
        }


def beyond_the_lens(waveforms: tuple[PhaseModulation, ...]) -> tuple[WaveBeyond, ...]:
    """Return the waves that the lens lacks, of at least LEAST of the key wave's amplitude."""
    keys = {waveform.frequency for waveform in waveforms}
    found = []
    for waveform in waveforms:
        size = np.sqrt(np.square(np.abs(waveform.A)) + np.square(np.abs(waveform.B)))
        k = waveform.frequency
        key = float(size[(waveform.waves == (k, 1)).all(axis=1)].sum())
        if key == 0:
            continue
        for (q, multiple), amplitude in zip(waveform.waves.tolist(), (size / key).tolist(), strict=True):
            name, turns = _named(waveform.p, k, q, multiple, keys)
            if (name, turns) in (("constant", 0), ("1k", 1), ("2k", 2)) or amplitude < LEAST:
                continue
            found.append(WaveBeyond(frequency=k, q=q, multiple=turns, name=name, amplitude=amplitude))
    return tuple(sorted(found, key=lambda wave: -wave.amplitude))


def _named(p: int, k: int, q: int, multiple: int, keys: set[int]) -> tuple[str, int]:
    """Return what a frequency is to the group of k, and l with the sign that goes with that name.

    The real waves (q, l) and (−q, −l) are one: the name is that of either.
    """
    if q == 0:
        return "constant", abs(multiple)
    if (multiple * k - q) % p == 0:
        return f"{abs(multiple)}k", abs(multiple)
    if q in keys and q != k:
        return "key", multiple
    for j in range(1, HIGHEST_NAMED + 1):
        for sign in (1, -1):
            if (sign * j * k - q) % p == 0:
                return f"{j}k", sign * multiple
    return "other", multiple
