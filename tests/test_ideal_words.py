"""The sentences on the extended ideal, each on ideals for which another one would be false."""

from dataclasses import replace

import pytest

from quadlens.certificates.ladder.ideal_distance import IdealDistance
from quadlens.certificates.record.ideal_words import MOST_WAVES, beyond_lens, extended
from quadlens.claims import ProvedBound
from quadlens.decomposition.beyond_lens import LEAST, WaveBeyond, beyond_the_lens
from quadlens.decomposition.extended_ideal import extended_ideal
from tests.planted_networks import noisy, planted


def test_a_distance_is_measured_only_where_every_input_was_run():
    ideal = extended_ideal(noisy(13, 0))
    said = extended(ideal, None)
    assert "proved" not in said
    assert "measured over all inputs and logits" in said
    assert "could come no closer than" in said
    assert f"With {ideal.parameters:,} numbers" in said
    assert f"{ideal.indices:,} small integers that name them are not counted" in said
    sampled = extended(replace(ideal, sampled=4096, curve=replace(ideal.curve, invariant_floor=None)), None)
    assert "estimated from 4,096 inputs drawn at random" in sampled
    assert "measured" not in sampled


def test_what_is_proved_is_rounded_up_and_what_is_vacuous_is_not_called_proved():
    ideal = extended_ideal(noisy(13, 0))
    for value, said in ((0.12341, "proved: at most 0.124"), (1.2, None)):
        bound = ProvedBound(value=value, theorem="one", arithmetic="one")
        told = extended(ideal, IdealDistance(to_ideal=bound, to_mlp=bound, rest=0.0))
        assert said in told if said else "proved" not in told


@pytest.mark.parametrize(
    ("waves", "said"),
    [
        ({(7, 1): 0.2}, "those of 15: the frequency 7 at φ 0.2."),
        ({(7, -1): 0.2}, "those of 15: the frequency 7 at −φ 0.2."),
        ({(1, 4): 0.15}, "those of 15: 4k (frequency 1) at 4φ 0.15."),
        ({(29, -1): 0.15}, "those of 15: 2k (frequency 29) at φ 0.15."),
        ({(7, 0): 0.2}, "those of 15: the frequency 7 alike in all 0.2."),
        ({(0, 3): 0.3}, "those of 15: a constant at 3φ 0.42."),  # 0.3 on both sides, against √2
        ({(29, -2): 0.1, (0, 0): 0.1}, f"hold none of at least {LEAST:g} of the key wave (fitted)."),
    ],
)
def test_what_is_planted_beyond_the_lens_is_said(waves, said):
    circuit = planted(59, 15, {(15, 1): 1.0} | waves)
    found = beyond_the_lens(extended_ideal(circuit).waveforms)
    assert beyond_lens(found).endswith(said)


def test_many_waves_are_counted_and_each_group_is_named_once():
    waves = [WaveBeyond(frequency=k, q=7, multiple=-3, name="key", amplitude=0.1) for k in (3, 5, 3, 5, 3, 5, 3, 5)]
    said = beyond_lens(waves)
    assert said.count("those of 3: ") == said.count("those of 5: ") == 1
    assert said.count("another group's key 7 at −3φ 0.1") == MOST_WAVES
    assert said.endswith(f"; and 2 more of at least {LEAST:g}.")
