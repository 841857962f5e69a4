"""Every command that the command line advises is run, in the state in which it is advised, and it helps."""

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import quadlens as ql
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.native import write
from quadlens.cli import main

ADVICE = re.compile(r"\nNext, (?P<purpose>[^\n]*):\n  (?P<command>quadlens [^\n]*)\n")
Run = Callable[[str], tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stopped:
            main(shlex.split(command)[1:])
        shown = capsys.readouterr()
        return int(stopped.value.code or 0), shown.out

    return run


def advised(out: str) -> tuple[str, str] | None:
    found = ADVICE.findall(out)
    assert len(found) == out.count("Next, ")
    assert len(found) <= 1
    return None if not found else found[0]


def followed(run: Run, command: str, *, reports: bool = False) -> list[tuple[str, str]]:
    """Run a command and what it advises, and so on, until something comes again; return (purpose, output).

    No command may advise itself. ``reports``: whether reports are followed, too; they take seconds.
    """
    seen, outputs, purpose = [command], [], ""
    while True:
        status, out = run(command)
        assert status in (0, 1), command
        outputs.append((purpose, out))
        helped(purpose, out, command)
        step = advised(out)
        if step is None:
            return outputs
        assert step[1] != command, f"{command} advises itself"
        if step[1] in seen or (step[1].startswith("quadlens report") and not reports):
            return outputs
        purpose, command = step
        seen.append(command)


def helped(purpose: str, out: str, command: str) -> None:
    """What a piece of advice promises is there when its command has been run."""
    text = " ".join(out.split())
    if purpose.startswith(("decide", "see which inputs", "see what can be proved", "prove on how many")):
        assert re.search(r"all \d+ inputs are right|inputs proved right", text)
        assert "refused:" not in text
        assert "not decided" not in text
    elif purpose.startswith("keep"):
        assert Path(shlex.split(command)[-1]).is_file()
    elif purpose == "check it by an independent route":
        assert "accepted: " in text
    elif purpose in ("see what the network does", "see what it does", "see what it has learned"):
        assert "report.html" in text
    elif purpose == "see how far the integral explains it":
        assert "Rungs as models" in text
    elif purpose:
        raise AssertionError(f"no test knows how to tell that advice to {purpose} helps")


def small(activation: str = "relu") -> Circuit:
    return ql.construct(p=7, frequencies=(1, 2), neurons=24, activation=activation)


def silent() -> Circuit:
    return Circuit(p=5, A=np.ones((5, 2)), B=np.ones((5, 2)), U=np.ones((2, 5)))


NETWORKS: dict[str, Callable[[], Circuit]] = {
    **{name: lambda name=name: small(name) for name in ("relu", "abs", "square", "gelu", "silu", "tanh")},
    "wrong": lambda: replace(small(), U=-small().U),
    "wrong-gelu": lambda: replace(small("gelu"), U=-small().U),
    "huge": lambda: replace(small(), A=small().A * 1e70, B=small().B * 1e70, U=small().U * 1e-5),
    "silent": silent,
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "command",
    [
        *("certify NET", "fit NET", "certify NET --method exact -o c.json", "certify NET --method linear"),
        *("certify NET --method brute-force", "certify NET --method interval", "certify NET --method rectangle"),
    ],
)
def test_advice_on_every_kind_of_network_helps(network: str, command: str, run: Run) -> None:
    circuit = NETWORKS[network]()
    write(circuit, "a net.safetensors")
    text = f"quadlens {command}".replace("NET", "'a net.safetensors'")
    status, out = run(text)
    if status == 2:  # a method that cannot treat the network says so in one line, without advice
        assert any(method in command for method in ("exact", "interval", "rectangle"))
        assert out == ""
        return
    followed(run, text)


@pytest.mark.parametrize("network", ["relu", "gelu", "wrong", "silent"])
def test_advice_after_a_report_helps(network: str, run: Run) -> None:
    write(NETWORKS[network](), "net.safetensors")
    steps = followed(run, "quadlens report net.safetensors", reports=True)
    whole = ql.evaluate(NETWORKS[network]()).accuracy == 1
    assert steps[1][0].startswith("keep its cheapest whole proof" if whole else "see which inputs are right")


def test_advice_after_a_report_on_a_network_too_large_to_run_helps(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write(NETWORKS["wrong"](), "net.safetensors")
    monkeypatch.setattr("quadlens.cli.model_argument.MEASURED_OPERATIONS", 10)
    steps = followed(run, "quadlens report net.safetensors")
    assert steps[1][0].startswith("decide every input")


def test_advice_after_a_refused_certificate_helps(run: Run) -> None:
    for name in ("relu", "wrong"):
        write(NETWORKS[name](), f"{name}.safetensors")
    for method in ("exact", "linear", "rectangle"):
        run(f"quadlens certify relu.safetensors --method {method} -o c.json")
        followed(run, "quadlens check c.json wrong.safetensors")
    run("quadlens certify relu.safetensors --method rectangle -o c.json")
    followed(run, "quadlens check c.json relu.safetensors")


def test_advice_of_what_makes_files_helps(run: Run) -> None:
    for odd in ("made.safetensors", "-x.safetensors", "two words.safetensors"):
        followed(run, f"quadlens construct --p 7 --frequencies 2 --neurons 3 -o '{odd}'")
    followed(run, "quadlens construct --p 7 --frequencies 2 --neurons 8 --activation silu -o made.safetensors")
    followed(run, "quadlens convert made.safetensors copy.safetensors", reports=True)
    tiny = "--neurons 8 --d-model 8 --epochs 2"
    followed(run, f"quadlens train --p 7 {tiny} -o trained.safetensors", reports=True)


def test_advice_on_a_file_beyond_the_limit_raises_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:  # a file that passes the true limit would have 128 MiB
        patch.setattr("quadlens.circuits.limits.MAX_BYTES", 2**20)
        _, out = run("quadlens construct --p 31 --frequencies 3,7 --neurons 1500 -o made.safetensors")
    step = advised(out)
    assert step is not None
    assert step[1].endswith("--max-megabytes 2")
    assert run(step[1].replace(" 2", " 1"))[0] == 2  # so much is needed
    assert "certified" in run(step[1])[1]


def test_advice_of_the_rest_helps(run: Run) -> None:
    _, out = run("quadlens models")
    step = advised(out)
    assert step is not None
    assert step[1].split()[:2] == ["quadlens", "report"]
    assert "report.html" in run(step[1])[1]
    assert "pizza_integral" in run("quadlens derive pizza_integral")[1]


def test_a_sweep_that_failed_advises_itself_as_it_was_given(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from quadlens.sweep import run as sweep

    def broken(items, folder, *, workers, progress, on_item):  # type: ignore[no-untyped-def]
        with ThreadPoolExecutor(1) as executor:
            return sweep.run_sweep(items, folder, executor, progress=progress, on_item=on_item)

    monkeypatch.setattr("quadlens.sweep.run.run_locally", broken)
    command = "quadlens sweep --p 7 --neurons 8 --d-model 8 --epochs 2 --seeds 0 --methods linear --output 'a b'"
    with monkeypatch.context() as patch:
        patch.setattr("quadlens.sweep.worker.train", lambda *_, **__: 1 / 0, raising=False)
        patch.setattr("quadlens.circuits.trained_network.train", lambda *_, **__: 1 / 0)
        status, out = run(command)
    assert status == 1
    step = advised(out)
    assert step is not None
    assert step[1].startswith("quadlens sweep ")
    assert sorted(shlex.split(step[1])) == sorted(shlex.split(command))
    status, out = run(step[1])
    assert status == 0
    assert advised(out) is None
