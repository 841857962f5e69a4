"""A sample of ``python -m benchmarks.soundness``: no claim above what integers prove, and it can tell."""

from typing import Any

import pytest

from benchmarks.soundness import KINDS, campaign
from quadlens.certificates.exact import single_inputs
from quadlens.certificates.methods import adaptive


@pytest.mark.parametrize("kind", KINDS)
def test_no_method_claims_too_much(kind):
    result = campaign((kind, 1, 16))
    assert result["violations"] == []
    assert result["counts"]["circuits"] == 16
    assert result["counts"]["checked"] > 0


@pytest.mark.parametrize("piece", ["products", "tables"])
def test_rounding_that_is_left_out_is_found(piece, monkeypatch):
    whole = single_inputs.sum_up

    def less(pieces: Any, operations: int) -> Any:
        return whole({name: value for name, value in pieces.items() if name != piece}, operations)

    monkeypatch.setattr(single_inputs, "sum_up", less)
    assert any("adaptive" in problem for problem in campaign(("cancelling", 2, 30))["violations"])


def test_a_margin_rounded_up_below_the_smallest_float64_is_found(monkeypatch):
    class Wrong(single_inputs.SingleInputs):
        def _exact_margin(self, a: int, b: int, c: int) -> tuple[float, float]:
            lower, upper = super()._exact_margin(a, b, c)
            return (lower or upper), upper

    monkeypatch.setattr(adaptive, "SingleInputs", Wrong)
    assert any("adaptive: class" in problem for problem in campaign(("subnormal", 3, 30))["violations"])
