"""``quadlens compare`` and ``quadlens equations NAME``."""

import json

import pytest

import quadlens as ql
from quadlens.cli import main


def run(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as finished:
        main(words)
    shown = capsys.readouterr()
    return int(finished.value.code or 0), shown.out, shown.err


def test_compare_prints_what_the_library_finds(capsys):
    status, out, err = run(capsys, "compare", "--a", "7", "--b", "20", "--c", "27")
    assert (status, err) == (0, "")
    found = ql.compare(ql.bundled(), 7, 20, 27)
    for row in found.frequencies:
        assert f"{row.finite_sum:+.6f}" in out
        assert f"{row.closed_form:+.6f}" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    status, out, _ = run(capsys, "compare", "--a", "7", "--b", "20", "--json")
    values = json.loads(out)
    assert {name: values[name] for name in found.to_dict()} == json.loads(json.dumps(found.to_dict()))


def test_compare_asks_for_the_input(capsys):
    status, out, err = run(capsys, "compare", "--a", "7")
    assert (status, out) == (2, "")
    assert "--b" in err


@pytest.mark.parametrize("name", ["pizza_integral", "gate_lemma"])
def test_one_equation_is_printed_in_each_format(capsys, name):
    one = ql.equation(name)
    assert run(capsys, "equations", name)[1].strip() == one.latex
    assert one.title in run(capsys, "equations", name, "--format", "markdown")[1]
    assert "<math" in run(capsys, "equations", name, "--format", "html")[1]
    assert run(capsys, "equations", name, "--format", "sympy")[1].startswith(("Equality(", "LessThan("))
    (row,) = json.loads(run(capsys, "equations", name, "--format", "latex", "--json")[1])
    assert (row["name"], row["latex"]) == (name, one.latex)


def test_a_family_is_all_of_its_statements(capsys):
    rows = json.loads(run(capsys, "equations", "pizza_integral", "--family", "--json")[1])
    assert [row["name"] for row in rows] == [one.name for one in ql.identities() if one.family == "pizza_integral"]
    status, _, err = run(capsys, "equations", "pizza_integral.scaled", "--family")
    assert status == 2
    assert "choose from" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("equations", "pizza"), "did you mean 'pizza_integral'"),
        (("equations", "pizza_integral", "-o", "x"), "leave out -o"),
        (("compare", "--a", "9" * 23, "--b", "2", "--c", "3"), f"{'9' * 23} is not in the range from -2⁵³ to 2⁵³"),
        (("certify", "--method", "rect"), "did you mean 'rectangle'?"),
        (("certify", "linear"), "it is a method: --method linear"),
        (("convert", "p59-seed0", "copy.pt"), "copy.pt: this is a safetensors file"),
        (("equations", "--format", "latex"), "goes with the NAME"),
    ],
)
def test_what_cannot_be_shown_is_said(capsys, words, says):
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_fit_says_how_far_the_mlp_is_proved_to_be(capsys):
    values = json.loads(run(capsys, "fit", "--json")[1])
    certificate = ql.certify(ql.bundled(), "mlp")
    assert values["mlp"]["relative_error_bound"] == certificate.relative_error_bound
    assert values["mlp"]["relative_error_measured"] <= values["mlp"]["relative_error_bound"] < 0.1
    assert [one["frequency"] for one in values["mlp"]["frequencies"]] == [1, 10, 26]
