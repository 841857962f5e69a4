"""What cannot be held is refused before it is begun."""

import pytest

from quadlens import memory
from quadlens.circuits.construct import construct
from quadlens.circuits.training_options import TrainingOptions
from quadlens.errors import OptionError


def test_a_circuit_that_no_machine_holds_is_refused():
    with pytest.raises(OptionError, match=r"a circuit with p = 100000000 and 512 neurons needs .* GiB of memory, this"):
        construct(p=100_000_000, frequencies=(1,), neurons=512)


def test_a_training_that_no_machine_holds_is_refused():
    with pytest.raises(OptionError, match=r"training p = 3000000 with 512 neurons needs .* GiB of memory"):
        TrainingOptions(p=3_000_000)


def test_what_fits_exactly_is_allowed(monkeypatch):
    monkeypatch.setattr(memory, "physical_bytes", lambda: 1000)
    memory.require_memory(1000, "this")
    with pytest.raises(OptionError, match="that needs 0 GiB"):
        memory.require_memory(1001, "that")
    monkeypatch.setattr(memory, "physical_bytes", lambda: None)
    memory.require_memory(10**30, "where the system does not say")


def test_this_machine_says_how_much_it_has():
    assert (memory.physical_bytes() or 2**30) >= 2**28
