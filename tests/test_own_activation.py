"""An activation of one's own is one entry, which every method honours or refuses in one sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quadlens as ql
from quadlens.activations import ACTIVATIONS, Activation, register_activation
from quadlens.certificates.certify import PROVERS
from quadlens.cli import main
from quadlens.errors import OptionError, QuadlensError
from quadlens.quadrature.balls import harmonic_balls
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.high_precision import harmonics_to_digits


def softplus(**changed: Any) -> Activation:
    entry = {"name": "softplus", "apply": lambda x: np.logaddexp(0, x), "degree": None, "lipschitz": 1.0}
    return Activation(**{**entry, "smooth": True, **changed})


@pytest.fixture
def registered() -> Iterator[ql.Circuit]:
    register_activation(softplus())
    try:
        yield ql.construct(p=11, frequencies=(2, 3), neurons=32, activation="softplus")
    finally:
        del ACTIVATIONS["softplus"]


def test_the_mathematics_takes_it(registered: ql.Circuit, tmp_path: Path) -> None:
    assert ql.evaluate(registered).accuracy == 1.0
    assert ql.decompose(registered).telescoping_error < 1e-9
    found = waveform_harmonics([0.1, 1.0], [2], "softplus")[0]
    theta = 2 * np.pi * np.arange(512) / 512
    direct = (np.log1p(np.exp(0.1 + np.cos(theta))) * np.exp(-2j * theta)).mean()
    assert abs(found - direct) < 1e-14
    ql.save(registered, tmp_path / "mine.safetensors")
    assert ql.load(tmp_path / "mine.safetensors").activation == "softplus"


@pytest.mark.parametrize("method", [*PROVERS, None])
def test_every_method_refuses_it_in_one_sentence(registered: ql.Circuit, method: str | None) -> None:
    try:
        certificate = ql.certify(registered, method)
    except QuadlensError as error:
        said = str(error)
    else:
        said = certificate.refusal or ""
        assert certificate.certified_inputs == 0
    assert "softplus" in said
    assert "\n" not in said
    assert "use brute-force" not in said


def test_what_needs_more_than_the_function_says_so(registered: ql.Circuit) -> None:
    with pytest.raises(OptionError, match=r"balls know .*, not softplus"):
        harmonic_balls([0, 1], [2], "softplus")
    with pytest.raises(OptionError, match=r"high precision knows .*, not softplus"):
        harmonics_to_digits([0, 1], [2], "softplus")
    with pytest.raises(OptionError, match="training needs a gradient of the activation, and has none of softplus"):
        ql.train(p=5, neurons=8, d_model=4, activation="softplus", epochs=1)


def test_the_commands_take_it_too(
    registered: ql.Circuit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def exit_code(*arguments: str) -> Any:
        with pytest.raises(SystemExit) as stopped:
            main([*arguments])
        return stopped.value.code or 0

    path = str(tmp_path / "mine.safetensors")
    ql.save(registered, path)
    for command in (["fit"], ["decompose"], ["report", "--output", str(tmp_path / "report")]):
        assert exit_code(command[0], path, *command[1:]) == 0
    capsys.readouterr()
    assert exit_code("certify", path) != 0
    said = capsys.readouterr()
    assert "this circuit has softplus" in said.out + said.err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "relu"}, "identifier not taken yet, got 'relu'"),
        ({"name": "a b"}, "identifier not taken yet"),
        ({"slope_below": 0.1}, "slope_below is for relu and abs"),
        ({"lipschitz": None}, "lipschitz must bound its slope"),
        ({"lipschitz": float("inf")}, "lipschitz must bound its slope"),
        ({"lipschitz": 0.9}, "its slope is above the lipschitz it states, 0.9"),
        ({"degree": 1}, "not homogeneous of the degree it states, 1"),
        ({"apply": lambda x: x.astype(np.float32)}, "must return finite float64"),
        ({"apply": lambda x: x[:1]}, "must return finite float64"),
        ({"apply": lambda x: x / 0.0 * np.inf}, "must return finite float64"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_entry_is_held_to_what_it_claims(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        register_activation(softplus(**changed))
    assert "softplus" not in ACTIVATIONS
