"""What cannot be held is refused before it is begun."""

import subprocess
import sys

import pytest

from quadlens import memory
from quadlens.circuits.construct import construct
from quadlens.circuits.training_options import TrainingOptions
from quadlens.errors import OptionError


def test_a_circuit_that_no_machine_holds_is_refused():
    needs = r"a circuit with p = 100000000 and 512 neurons needs .* GiB of memory, there are"
    with pytest.raises(OptionError, match=needs):
        construct(p=100_000_000, frequencies=(1,), neurons=512)


def test_a_training_that_no_machine_holds_is_refused():
    with pytest.raises(OptionError, match=r"training p = 3000000 with 512 neurons needs .* GiB of memory"):
        TrainingOptions(p=3_000_000)


def test_what_fits_exactly_is_allowed(monkeypatch):
    monkeypatch.setattr(memory, "physical_bytes", lambda: 1000)
    memory.require_memory(1000, "this")
    with pytest.raises(OptionError, match="that needs 1 GiB of memory, there are 0 GiB"):
        memory.require_memory(1001, "that")
    monkeypatch.setattr(memory, "physical_bytes", lambda: None)
    memory.require_memory(10**30, "where the system does not say")


def test_this_machine_says_how_much_it_has():
    assert (memory.physical_bytes() or 2**30) >= 2**28


def groups(monkeypatch, tmp_path, lines, limits):
    """Put this process into control groups: the lines of /proc/self/cgroup, and the files under /sys/fs/cgroup."""
    (tmp_path / "own").write_text(lines)
    for name, text in limits.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(text)
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "fs")


@pytest.mark.parametrize(
    ("lines", "limits", "least"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "5000\n", "memory.max": "9000\n"}, 5000),
        ("0::/a/b\n", {"a/b/memory.max": "4000\n", "a/memory.max": "5000\n"}, 4000),
        ("0::/of/the/host\n", {"memory.max": "3000\n"}, 3000),
        ("4:cpu:/x\n3:hugetlb,memory:/c\n", {"memory/c/memory.limit_in_bytes": "2000\n"}, 2000),
        ("4:memory:/c\n", {"memory/memory.limit_in_bytes": "2500\n"}, 2500),
    ],
)
def test_the_limits_of_control_groups_count(monkeypatch, tmp_path, lines, limits, least):
    groups(monkeypatch, tmp_path, lines, limits)
    assert memory.physical_bytes() == least
    with pytest.raises(OptionError, match="that needs"):
        memory.require_memory(least + 1, "that")


def test_without_limits_the_machine_counts(monkeypatch, tmp_path):
    groups(monkeypatch, tmp_path, "0::/a\nnonsense\n", {"a/memory.max": "max\n"})
    assert memory.physical_bytes() >= 2**28
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "nothing")
    assert memory.physical_bytes() >= 2**28


def test_the_process_s_own_limit_counts():
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
    code += "from quadlens.memory import physical_bytes; print(physical_bytes() <= 2**31)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
