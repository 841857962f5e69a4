"""Claims, rounding, arrays and files: the small things that everything else leans on."""

import math
import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quadlens.arrays import read_only, wrap_angle
from quadlens.claims import Estimate, Measurement, ProvedBound
from quadlens.errors import CertificateError, OutputError, QuadlensError
from quadlens.files import atomic_path, check_writable, make_folder, write_atomically
from quadlens.rounding import UNIT_ROUNDOFF, gamma, up

finite = st.floats(-1e6, 1e6)


@given(finite)
def test_wrapped_angles_lie_in_the_half_open_interval(x: float) -> None:
    wrapped = float(wrap_angle(np.array([x]))[0])
    assert -math.pi <= wrapped < math.pi
    # the remainder of x ± π is exact up to the rounding of the sum, at most ulp(1e6)
    assert abs(np.exp(1j * wrapped) - np.exp(1j * x)) < 1e-9


def test_read_only_copies_unless_already_frozen() -> None:
    x = np.arange(3.0)
    frozen = read_only(x)
    assert not np.shares_memory(x, frozen)
    assert np.shares_memory(read_only(frozen), frozen)
    assert read_only([1, 2]).dtype == np.float64


@given(st.integers(1, 10**6))
def test_gamma_is_an_upper_bound(k: int) -> None:
    u = Fraction(UNIT_ROUNDOFF)
    assert Fraction(gamma(k)) >= k * u / (1 - k * u)


def test_gamma_refuses_what_it_cannot_bound() -> None:
    for k in (-1, 2**53):
        with pytest.raises(ValueError, match="0 <= k"):
            gamma(k)


@given(st.lists(st.floats(0, 1e300, allow_subnormal=True), min_size=1, max_size=20))
def test_up_bounds_the_exact_sum(values: list[float]) -> None:
    total = float(np.sum(values))
    if math.isfinite(total):
        assert Fraction(float(up(np.array(total), len(values)))) >= sum(map(Fraction, values))


def test_up_bounds_underflowing_products() -> None:
    assert Fraction(float(up(np.array(1e-200 * 1e-200)))) >= Fraction(1e-200) ** 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_claim_is_ever_nan_or_infinite(value: float) -> None:
    with pytest.raises(CertificateError, match="must be finite"):
        ProvedBound(value=value, theorem="t", arithmetic="a")
    with pytest.raises(CertificateError, match="must be finite"):
        Measurement(value=value, over="all inputs")
    with pytest.raises(CertificateError, match="must be finite"):
        Estimate(value=0.0, low=value, high=1.0, method="m")


def test_a_proved_bound_says_why() -> None:
    with pytest.raises(CertificateError, match="names its theorem"):
        ProvedBound(value=1.0, theorem="", arithmetic="exact")
    assert float(ProvedBound(value=1.0, theorem="t", arithmetic="exact")) == 1.0


def test_an_estimate_s_interval_is_ordered() -> None:
    with pytest.raises(CertificateError, match="ordered"):
        Estimate(value=0.0, low=1.0, high=0.0, method="m")


def test_files_are_written_whole_or_not_at_all(tmp_path) -> None:
    target = tmp_path / "out.txt"
    write_atomically(target, "first")

    def interrupted() -> None:
        with atomic_path(target) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "first"
    assert os.listdir(tmp_path) == ["out.txt"]
    write_atomically(target, b"second")
    assert target.read_bytes() == b"second"
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_outputs_that_cannot_be_written_are_one_clear_error(tmp_path) -> None:
    with pytest.raises(OutputError, match="it is a directory; name a file"):
        write_atomically(tmp_path, "x")
    with pytest.raises(OutputError, match="No such file or directory; choose a folder"):
        write_atomically(tmp_path / "missing" / "x", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        make_folder(tmp_path / "file" / "sub")
    with pytest.raises(OutputError, match="an output folder needs a name, got an empty one"):
        make_folder("")
    with pytest.raises(OutputError, match=r"cannot write .*embedded null (byte|character)"):
        write_atomically(tmp_path / "a\0b", "x")
    assert issubclass(OutputError, QuadlensError)
    assert issubclass(OutputError, OSError)


def test_whether_an_output_can_be_written_is_asked_without_writing_it(tmp_path) -> None:
    (tmp_path / "old").write_text("before")
    for name in ("old", "new"):
        check_writable(tmp_path / name)
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_text() == "before"
    with pytest.raises(OutputError, match="it is a directory; name a file"):
        check_writable(tmp_path)
