"""A user's script that misuses the public names: mypy must object to each line that is marked, and to no other.

mypy reads this file with the package (setup.cfg); with ``--strict`` an ``ignore`` that ignores nothing is an error, so
that a misuse which is no longer noticed is one, too. Nothing here is run.
"""

from typing import assert_type

from matplotlib.figure import Figure

import quadlens as ql


def right(path: str) -> None:
    circuit = assert_type(ql.load(path), ql.Circuit)
    form = assert_type(ql.fit(circuit), ql.AmplitudePhaseForm)
    assert_type(form[10].kappa, float)
    assert_type(ql.decompose(circuit)["quadrature"].relative_l2, float)
    assert_type(ql.certify(circuit, method="linear"), ql.Certificate)
    assert_type(ql.check(path, circuit).accepted, bool)
    assert_type(ql.compare(circuit, 7, 20, 27)[10].difference, float)
    assert_type(ql.rectangles(circuit, 10, 7, 20), Figure)
    assert_type(ql.equation("pizza_integral").latex, str)
    assert_type(ql.train(p=59, epochs=10), ql.Circuit)
    ql.save(circuit, path)
    ql.write_report(circuit, path)


def wrong(path: str) -> None:
    ql.fit(path)  # type: ignore[arg-type]
    ql.decompose(ql.fit(ql.load(path)))  # type: ignore[arg-type]
    ql.certify(path)  # type: ignore[arg-type]
    ql.compare(ql.load(path), "7", 20)  # type: ignore[arg-type]
    ql.equation(3)  # type: ignore[arg-type]
    ql.no_such_name  # type: ignore[attr-defined]  # noqa: B018
