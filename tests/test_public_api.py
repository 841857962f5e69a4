"""The public names: each is there, types are said, wrong arguments get one sentence, and the numbers agree."""

import ast
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

import quadlens as ql
from quadlens.circuits.circuit import Circuit
from quadlens.errors import QuadlensError

NETWORK = ql.bundled()


def test_dir_and_all_name_the_same_things_and_all_of_them_exist():
    assert set(dir(ql)) == set(ql.__all__)
    for name in ql.__all__:
        assert getattr(ql, name) is not None


def test_a_type_checker_sees_the_names_that_are_imported_when_used():
    tree = ast.parse(Path(ql.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    seen = {
        alias.asname: (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert set(seen) == set(ql.__all__) - {"__version__"}
    for name, (module, original) in seen.items():
        # the package of the identities can be called in place of its function of that name
        found = ql.identities.identities if name == "identities" else getattr(ql, name)
        assert getattr(import_module(module), original) is found
    assert (Path(ql.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ql.fit("model.pt"), "fit takes a Circuit, got builtins.str; read the file first"),
        (lambda: ql.decompose(ql.fit(NETWORK)), "decompose takes a Circuit"),
        (lambda: ql.certify(NETWORK.A), "certify takes a Circuit"),
        (lambda: ql.evaluate(None), "evaluate takes a Circuit"),
        (lambda: ql.fit(torch.nn.Linear(2, 2)), "from_module"),
        (lambda: ql.from_state_dict(torch.nn.Linear(2, 2), family="gbmi"), "state_dict"),
        (lambda: ql.from_module(NETWORK, p=59), "torch.nn.Module"),
        (lambda: ql.load(NETWORK), "load takes a path"),
        (lambda: ql.save("model.pt", "copy.safetensors"), "save takes a Circuit"),
        (lambda: ql.write_report(3, "."), "write_report takes a Circuit"),
        (lambda: ql.check(3, NETWORK), "check takes a Certificate or the file of one"),
        (lambda: ql.check("no-such-file.json", NETWORK), "no-such-file.json"),
        (lambda: ql.check(ql.certify(NETWORK, "linear"), "model.pt"), "check takes a Circuit"),
        (lambda: ql.compare(NETWORK, 1.5, 2), "a must be a whole number"),
        (lambda: ql.compare(NETWORK, 1, True), "b must be a whole number"),
        (lambda: ql.compare(NETWORK, 1, 2, "3"), "c must be a whole number"),
        (lambda: ql.compare(NETWORK, 1, 2)[11], "no row for frequency 11; there are 1, 10"),
        (lambda: ql.rectangles(NETWORK, 11), "no group has frequency 11"),
        (lambda: ql.fit(NETWORK)[3], "no group has frequency 3"),
        (lambda: ql.decompose(small())["phase"], "no term is called 'phase'; there are"),
        (lambda: ql.fit(NETWORK)[True], "no group has frequency True"),
        (lambda: ql.compare(NETWORK, 1, 2)[True], "no row for frequency True"),
        (lambda: ql.compare(NETWORK, 1, 2, form="x"), "form must be what quadlens.fit"),
        (lambda: ql.compare(NETWORK, 1, 2, form=ql.fit(small())), "another circuit: its p is 13, the circuit's 59"),
        (lambda: ql.decompose(NETWORK, "x"), "form must be what quadlens.fit"),
        (lambda: ql.decompose(NETWORK, ql.fit(small())), "another circuit"),
        (lambda: ql.decompose(small(activation="sin"), ql.fit(small())), "its activation is relu, the circuit's sin"),
        (lambda: ql.rectangles(NETWORK, ax="x"), "ax must be matplotlib axes, got str"),
        (lambda: ql.save(NETWORK, None), "name is a text or a path, got NoneType"),
        (lambda: ql.write_report(NETWORK, 3), "name is a text or a path, got int"),
        (lambda: ql.save(NETWORK, "copy.PT"), "copy.PT: this is a safetensors file, and .PT is not its suffix"),
        (lambda: ql.equation("pizza"), "did you mean 'pizza_integral'"),
        (lambda: ql.equation(3), "a statement's name is a text"),
        (lambda: ql.identities()["no"], "no statement is called 'no'"),
        (lambda: ql.train(q=3), "no option 'q'"),
        (lambda: ql.construct(p="x", frequencies=(1,), neurons=8), "p must be a whole number"),
        (lambda: ql.construct(p=7, frequencies=3, neurons=8), "frequencies must be a sequence"),
    ],
)
def test_a_wrong_argument_gets_one_sentence_that_says_what_to_do(call, says):
    with pytest.raises(QuadlensError, match=says.replace("(", r"\(")) as caught:
        call()
    assert "\n" not in str(caught.value)


def small(noise: float = 0.01, **options: object) -> Circuit:
    return ql.construct(p=13, frequencies=(2, 5), neurons=24, noise=noise, **options)


def test_a_bundled_network_is_loaded_by_name_unless_a_file_has_that_name(tmp_path, monkeypatch):
    assert np.array_equal(ql.load("p59-seed0").A, NETWORK.A)
    monkeypatch.chdir(tmp_path)
    ql.save(small(), "p59-seed0")
    assert ql.load("p59-seed0").p == 13


def test_what_is_saved_is_loaded_back(tmp_path):
    circuit = small()
    ql.save(circuit, tmp_path / "small.safetensors")
    back = ql.load(tmp_path / "small.safetensors")
    assert all(np.array_equal(getattr(back, name), getattr(circuit, name)) for name in ("A", "B", "U", "S_a", "S_b"))


def test_train_returns_the_circuit_of_the_trained_network():
    circuit = ql.train(p=7, neurons=16, d_model=8, epochs=3, seed=1)
    assert (circuit.p, circuit.neurons, circuit.family) == (7, 16, "quadlens trainer")
    assert not np.array_equal(circuit.A, ql.train(p=7, neurons=16, d_model=8, epochs=3, seed=2).A)


def test_check_takes_the_file_of_a_certificate(tmp_path):
    from quadlens.certificates.record.file import write_certificate

    circuit = small()
    certificate = ql.certify(circuit, "linear")
    write_certificate(certificate, tmp_path / "certificate.json")
    assert ql.check(tmp_path / "certificate.json", circuit).accepted
    assert not ql.check(tmp_path / "certificate.json", small(noise=0.02)).accepted


def test_write_report_takes_a_circuit(tmp_path):
    page, values = ql.write_report(small(), tmp_path / "report")
    assert page.exists()
    assert values["p"] == 13


@pytest.mark.parametrize("activation", ["relu", "abs", "square", "gelu", "silu"])
def test_compare_agrees_with_the_network_and_its_four_integrals_with_each_other(activation):
    circuit = small(activation=activation)
    found = ql.compare(circuit, 3, 9, 4)
    values = {"relu": lambda y: np.maximum(y, 0), "abs": np.abs, "square": np.square}.get(activation)
    if values is not None:
        assert found.logit == pytest.approx(values(circuit.A[3] + circuit.B[9]) @ circuit.U[:, 4], abs=1e-12)
    assert [row.frequency for row in found.frequencies] == [2, 5]
    assert sum(row.neurons for row in found.frequencies) == circuit.neurons
    assert found.rest == pytest.approx(found.logit - sum(row.finite_sum for row in found.frequencies))
    # the noise and the finite number of neurons are all that tells the sums from the integrals
    assert abs(found.rest) < 1
    for row in found.frequencies:
        low, high = map(Decimal, row.ball)
        assert 0 < high - low < Decimal("1e-15")
        # mpmath's digits are rounded at the last
        assert low - Decimal("1e-15") <= Decimal(row.mpmath) <= high + Decimal("1e-15")
        assert row.closed_form == pytest.approx(float(row.mpmath), abs=1e-9)
        assert row.scipy == pytest.approx(float(row.mpmath), abs=1e-9)
        assert row.difference == row.finite_sum - row.closed_form
        assert abs(row.difference) < 0.1 * abs(row.closed_form) + 0.5


def test_compare_without_noise_is_the_area_of_the_rectangles():
    from quadlens.report.integrand import integrand

    form = ql.fit(NETWORK)
    found = ql.compare(NETWORK, 7, 20, 27, form=form)
    for row in found.frequencies[:2]:
        picture = integrand(NETWORK, form, form[row.frequency], 7, 20, 27)
        assert row.finite_sum == pytest.approx(picture.scale * picture.rectangle_area, rel=1e-12)
        assert row.closed_form == pytest.approx(picture.scale * picture.curve_area, rel=1e-12)


def test_compare_takes_everything_mod_p_and_the_right_answer_by_default():
    assert ql.compare(NETWORK, 7 + 59, 20 - 59, 27).to_dict() == ql.compare(NETWORK, 7, 20).to_dict()
    assert ql.compare(NETWORK, 7, 20).c == 27
    assert ql.compare(NETWORK, 7, 20, 28).logit < ql.compare(NETWORK, 7, 20).logit


def test_a_comparison_shows_itself():
    found = ql.compare(NETWORK, 7, 20)
    assert "finite sum" in repr(found)
    assert "closed form" in found._repr_html_()
    assert list(found.to_dataframe().index) == [row.frequency for row in found.frequencies]


def test_rectangles_draws_the_group_that_is_asked_for():
    figure = ql.rectangles(NETWORK, 10, 7, 20)
    (ax,) = figure.axes
    assert "k = 10" in ax.get_xlabel()
    assert "a = 7, b = 20, c = 27" in ax.get_title(loc="left")
    form = ql.fit(NETWORK)
    heaviest = max(form.groups, key=lambda group: group.weight).frequency
    assert f"k = {heaviest}" in ql.rectangles(NETWORK).axes[0].get_xlabel()


def test_an_equation_has_its_formula_and_its_proof():
    import sympy

    from quadlens.identities import functions

    one = ql.equation("pizza_integral.scaled")
    assert one.statement == ql.identities()["pizza_integral.scaled"]
    assert r"\lambda" in one.latex
    assert one.proof().verdict == "proved"
    assert one._repr_latex_() == f"${one.latex}$"
    names = vars(sympy) | {name: value for name, value in vars(functions).items() if isinstance(value, type)}
    assert eval(sympy.srepr(one.sympy), dict(names)) == one.sympy


def test_look_ups_return_what_the_lists_hold():
    form, ladder = ql.fit(NETWORK), ql.decompose(small())
    assert all(form[group.frequency] is group for group in form.groups)
    assert all(ladder[term.name] is term for term in ladder.terms)
    assert ql.identities()[0] is next(iter(ql.identities()))
