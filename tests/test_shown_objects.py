"""Objects show themselves: a short repr, LaTeX that can be drawn, data frames with the numbers of ``to_dict``."""

import builtins
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import quadlens as ql
from quadlens.errors import DependencyError


@pytest.fixture(scope="module")
def circuit():
    return ql.construct(p=13, frequencies=(2, 5), neurons=48, noise=0.02)


@pytest.fixture(scope="module")
def shown(circuit) -> dict[str, object]:
    form = ql.fit(circuit)
    return {
        "Circuit": circuit,
        "AmplitudePhaseForm": form,
        "FrequencyGroup": form.groups[0],
        "ErrorDecomposition": ql.decompose(circuit),
        "Certificate": ql.certify(circuit, method="brute-force"),
        "Statement": ql.identities()[0],
    }


NAMES = ["Circuit", "AmplitudePhaseForm", "FrequencyGroup", "ErrorDecomposition", "Certificate", "Statement"]


@pytest.mark.parametrize("name", NAMES)
def test_repr_names_the_class_and_is_short(shown: dict[str, object], name: str) -> None:
    text = repr(shown[name])
    assert text.startswith(f"{name}(")
    assert len(text.splitlines()) <= 12
    assert "array(" not in text


@pytest.mark.parametrize("name", NAMES)
def test_latex_can_be_drawn(shown: dict[str, object], name: str) -> None:
    latex = shown[name]._repr_latex_()
    assert latex.startswith("$")
    assert latex.endswith("$")
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")


def test_the_numbers_are_the_object_s_own(shown: dict[str, object], circuit) -> None:
    form, ladder, certificate = shown["AmplitudePhaseForm"], shown["ErrorDecomposition"], shown["Certificate"]
    assert [line.split()[0] for line in repr(form).splitlines()[3:]] == ["2", "5"]
    assert f"{ladder.terms[0].relative_l2:.4f}" in repr(ladder)
    assert certificate.verdict in repr(certificate)
    assert "48" in circuit._repr_latex_()
    assert f"{form.groups[0].kappa:+.4f}" in form.groups[0]._repr_latex_()


def test_a_rectangle_certificate_has_no_margin_to_show(circuit) -> None:
    certificate = ql.certify(circuit, method="rectangle")
    assert certificate._repr_latex_() is None


def test_data_frames_have_the_numbers(shown: dict[str, object], circuit) -> None:
    pytest.importorskip("pandas", reason="data frames are optional")
    form, ladder, certificate = shown["AmplitudePhaseForm"], shown["ErrorDecomposition"], shown["Certificate"]
    tables = circuit.to_dataframe()
    assert list(tables.index) == ["A", "B", "U", "S_a", "S_b"]
    assert tables.loc["U", "rows"] == 48
    groups = form.to_dataframe()
    assert groups.loc[5, "e_A"] == form.groups[1].e_A
    assert list(form.to_dataframe(per_neuron=True)["phi"]) == list(form.phi)
    rungs = ladder.to_dataframe()
    assert list(rungs.index) == [term.name for term in ladder.terms]
    assert list(rungs["r_squared"]) == [stage.r_squared for stage in ladder.stages]
    classes = certificate.to_dataframe()
    assert classes["margin_lower_bound"].min() == certificate.margin_lower_bound
    assert list(ql.certify(circuit, method="rectangle").to_dataframe().index) == [2, 5]


def test_without_pandas_the_reason_is_said(circuit, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_pandas(name: str, *rest: object, **named: object) -> object:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(DependencyError, match="to_dataframe needs pandas"):
        circuit.to_dataframe()


@pytest.mark.parametrize("name", ["Circuit", "AmplitudePhaseForm", "ErrorDecomposition", "Certificate"])
def test_a_notebook_shows_a_table(shown: dict[str, object], name: str) -> None:
    table = ElementTree.fromstring(shown[name]._repr_html_())
    heads = len(table.findall("thead/tr/th"))
    rows = table.findall("tbody/tr")
    assert rows
    assert all(len(row) == heads for row in rows)
    assert "p = 13" in table.findtext("caption")


def test_a_notebook_s_table_has_the_numbers_of_the_repr(shown: dict[str, object]) -> None:
    for name in ("AmplitudePhaseForm", "ErrorDecomposition"):
        table = ElementTree.fromstring(shown[name]._repr_html_())
        cells = [[cell.text for cell in row] for row in table.findall("tbody/tr")]
        assert cells == [line.split() for line in repr(shown[name]).splitlines()[3:]]


def test_a_notebook_shows_a_certificate_s_ledger_and_margin(circuit) -> None:
    certificate = ql.certify(circuit, method="linear")
    table = ElementTree.fromstring(certificate._repr_html_())
    cells = [[cell.text for cell in row] for row in table.findall("tbody/tr")]
    assert [name for name, _ in cells] == [*(term for term, _ in certificate.ledger), "margin, at least"]
    assert float(cells[-1][1]) <= certificate.margin_lower_bound
    refused = ql.certify(ql.construct(p=13, frequencies=(2,), neurons=24, activation="tanh"), method="linear")
    assert "refused" in ElementTree.fromstring(refused._repr_html_()).findtext("caption")


def test_text_from_a_file_is_escaped_in_a_table(circuit) -> None:
    hostile = replace(circuit, family="<script>alert(1)</script>")
    assert "<script>" not in hostile._repr_html_()
    assert "&lt;script&gt;" in hostile._repr_html_()
