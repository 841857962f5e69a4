"""A population survives failures, kills and reruns; its table says what the results say."""

import dataclasses
import json
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import pytest

from quadlens.circuits.native import read
from quadlens.circuits.train import continue_training, initial_state
from quadlens.circuits.trained_network import save_state, train
from quadlens.circuits.training_options import TrainingOptions
from quadlens.cli import main
from quadlens.errors import CheckpointError, OptionError
from quadlens.sweep.item import SweepItem, item_from_dict, log_spaced_epochs, sweep_items
from quadlens.sweep.run import run_locally, run_sweep
from quadlens.sweep.table import analysis_row, csv_text, read_csv, result_rows, statistics

ROOT = Path(__file__).resolve().parent.parent
TINY = TrainingOptions(p=7, neurons=24, d_model=16, epochs=30)
METHODS = ("brute-force",)


def tiny_items(seeds=(0, 1, 2), **changes):
    training = {"d_model": 16, "epochs": 30} | changes
    return sweep_items(p=[7], neurons=[24], activation=["relu"], seeds=seeds, methods=METHODS, **training)


class Serial(Executor):
    """Runs everything at once, here; counts what was asked."""

    def __init__(self):
        self.submitted = 0

    def submit(self, function, /, *arguments, **options):
        self.submitted += 1
        future = Future()
        try:
            future.set_result(function(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


def test_sweep_gives_what_training_alone_gives(tmp_path):
    outcome = run_sweep(tiny_items(), tmp_path, Serial())
    assert (len(outcome.results), outcome.reused, outcome.failures) == (3, 0, ())
    for item in tiny_items():
        alone = train(item.options, item.seed)
        swept = read(item.network_file(tmp_path))
        assert all(np.array_equal(swept.weights.tensors[k], v) for k, v in alone.weights.tensors.items())
        result = json.loads(item.result_file(tmp_path).read_text())
        assert result["evaluation"]["accuracy"] == pytest.approx(alone.score.accuracy)
        assert result["certify"]["brute-force"]["method"] == "brute-force"
        assert result["item"] == item.to_dict()


def test_rerun_does_only_what_is_missing(tmp_path):
    items = tiny_items()
    run_sweep(items[:2], tmp_path, Serial())
    items[0].result_file(tmp_path).unlink()
    before = items[1].result_file(tmp_path).stat().st_mtime_ns
    trained_before = items[0].network_file(tmp_path).stat().st_mtime_ns
    executor, progress, seen = Serial(), [], []
    outcome = run_sweep(
        [*items, items[0]], tmp_path, executor, progress=progress.append, on_item=lambda *a: seen.append(a[1:])
    )
    assert executor.submitted == 2
    assert outcome.reused == 1
    assert len(outcome.results) == 3
    assert items[1].result_file(tmp_path).stat().st_mtime_ns == before
    assert items[0].network_file(tmp_path).stat().st_mtime_ns == trained_before, "a finished network was trained again"
    assert progress == [2 / 3, 1.0]
    assert seen == [(2, 3, 1), (3, 3, 2)]


def test_failures_are_collected_and_the_rest_goes_on(tmp_path):
    bad = SweepItem(options=dataclasses.replace(TINY, learning_rate=1e30), seed=0, methods=())
    outcome = run_sweep([bad, *tiny_items()], tmp_path, Serial())
    assert len(outcome.results) == 3
    (failure,) = outcome.failures
    assert failure.name == bad.name
    assert failure.reason.startswith("OptionError: training diverged")


def test_worker_that_writes_nothing_is_a_failure(tmp_path):
    class Idle(Serial):
        def submit(self, function, /, *arguments, **options):
            return super().submit(lambda: None)

    outcome = run_sweep(tiny_items((0,)), tmp_path, Idle())
    assert "do all workers see the same folder" in outcome.failures[0].reason


def test_method_that_refuses_is_recorded_not_fatal(tmp_path, monkeypatch):
    def refuse(circuit, method):
        raise OptionError("not this one")

    monkeypatch.setattr("quadlens.certificates.certify.certify", refuse)
    (item,) = tiny_items((0,))
    outcome = run_sweep([item], tmp_path, Serial())
    assert json.loads(outcome.results[0].read_text())["certify"]["brute-force"]["error"] == "not this one"
    assert result_rows(outcome.results)[0]["brute-force_refused"] == 1


def test_local_pool_survives_a_killed_worker(tmp_path):
    items = tiny_items(range(4), epochs=400)
    killed, others = [], set(multiprocessing.active_children())

    def kill_one_worker(*_):
        if not killed:
            worker = next(iter(set(multiprocessing.active_children()) - others))
            killed.append(worker)
            worker.kill()

    outcome = run_locally(items, tmp_path, workers=1, on_item=kill_one_worker)
    assert killed
    assert len(outcome.results) == 4
    assert outcome.failures == ()
    assert outcome.reused == 0


def test_interrupted_sweep_does_not_wait_for_its_workers(tmp_path):
    """Ctrl-C ends at once, and the next sweep goes on from there."""
    short, long = tiny_items((0,))[0], tiny_items((1,), epochs=50_000)[0]

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_locally([short, long], tmp_path, workers=1, on_item=interrupt)
    for worker in multiprocessing.active_children():
        deadline = time.monotonic() + 60
        # the pool's own thread may be about to collect it: then join ends before the exit code is known
        while worker.exitcode is None and time.monotonic() < deadline:
            worker.join(1)
        assert worker.exitcode == -signal.SIGKILL
    assert short.result_file(tmp_path).exists()
    assert not long.network_file(tmp_path).exists()
    outcome = run_locally([short, dataclasses.replace(long, options=short.options)], tmp_path, workers=1)
    assert (len(outcome.results), outcome.reused, outcome.failures) == (2, 1, ())


def test_killed_sweep_is_finished_by_the_next(tmp_path):
    arguments = ["sweep", "--p", "7", "--neurons", "24", "--d-model", "16", "--epochs", "400", "--seeds", "0-2"]
    arguments += ["--methods", "brute-force", "-o", str(tmp_path), "--workers", "1", "--json"]
    code = f"from quadlens.cli import main; main({arguments!r})"
    guarded = f"if __name__ == '__main__':\n    {code}\n"
    script = tmp_path / "run.py"
    script.write_text(guarded)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    first = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.DEVNULL)
    results = tmp_path / "results"
    deadline = time.monotonic() + 300
    while not list(results.glob("*.json")):
        assert time.monotonic() < deadline, "the sweep made nothing in five minutes"
        assert first.poll() is None, "the sweep ended before it was killed"
        time.sleep(0.02)
    first.kill()
    first.wait()
    there = len(list(results.glob("*.json")))
    second = subprocess.run(
        [sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(second.stdout)
    assert found["networks"] == 3
    assert found["reused"] >= there >= 1
    assert found["failures"] == []
    assert not list(tmp_path.rglob("*.state"))


def test_dask_cluster_loses_a_worker_and_nothing_else(tmp_path):
    pytest.importorskip("distributed", reason="needs the optional extra quadlens[dask]")
    from quadlens.sweep.run import dask_executor

    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    address_file = tmp_path / "scheduler.json"
    processes = []

    def start(module, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        return process

    try:
        start(
            "distributed.cli.dask_scheduler",
            *("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(address_file)),
        )
        deadline = time.monotonic() + 300
        while not (address_file.exists() and address_file.read_text()):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        address = json.loads(address_file.read_text())["address"]
        options = (address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")
        victim = start("distributed.cli.dask_worker", *options)
        start("distributed.cli.dask_worker", *options)

        def kill_victim(*_):
            if victim.poll() is None:
                victim.kill()

        with dask_executor(address) as executor:
            outcome = run_sweep(tiny_items(range(6), epochs=400), tmp_path / "out", executor, on_item=kill_victim)
        assert victim.wait(timeout=10) == -signal.SIGKILL
        assert outcome.failures == ()
        assert len(outcome.results) == 6
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_dask_address_without_a_scheduler_is_refused(capsys, tmp_path):
    pytest.importorskip("distributed", reason="needs the optional extra quadlens[dask]")
    with pytest.raises(SystemExit) as stop:
        main(["sweep", "--dask", "nonsense://x", "-o", str(tmp_path), "--seeds", "0"])
    assert stop.value.code == 2
    assert "no Dask scheduler answers at 'nonsense://x'" in capsys.readouterr().err


def test_item_names_change_with_what_matters_and_survive_json():
    (item,) = tiny_items((0,))
    assert item_from_dict(json.loads(json.dumps(item.to_dict()))) == item
    others = [
        SweepItem(options=TINY, seed=1, methods=METHODS),
        SweepItem(options=TrainingOptions(p=7, neurons=24, d_model=16, epochs=31), seed=0, methods=METHODS),
        SweepItem(options=TINY, seed=0, methods=()),
        SweepItem(options=TINY, seed=0, methods=METHODS, snapshot_epochs=(1,)),
    ]
    assert len({item.name, *(other.name for other in others)}) == 5
    assert others[2].network == item.network, "the same network is trained once, whatever is asked of it"
    assert others[1].network != item.network


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
        ({"methods": ("guess",)}, "methods must be different ones of rectangle"),
        ({"methods": ("linear", "linear")}, "methods must be different ones of"),
        ({"snapshot_epochs": (31,)}, r"snapshot epochs must be in 0\.\.30, got \[31\]"),
    ],
)
def test_items_out_of_range_are_refused(change, message):
    with pytest.raises(OptionError, match=message):
        SweepItem(**({"options": TINY, "seed": 0} | change))


def test_workers_must_be_positive(tmp_path):
    with pytest.raises(OptionError, match="workers must be >= 1, got 0"):
        run_locally(tiny_items(), tmp_path, workers=0)


def test_log_spaced_epochs_end_with_the_last():
    epochs = log_spaced_epochs(10_000, 16)
    assert epochs[0] == 0
    assert epochs[-1] == 10_000
    assert list(epochs) == sorted(set(epochs))
    assert {1, 10, 100, 1000} <= set(epochs)


def test_snapshots_are_analysed(tmp_path):
    item = SweepItem(options=TINY, seed=0, methods=METHODS, snapshot_epochs=(0, 30))
    outcome = run_sweep([item], tmp_path, Serial())
    result = json.loads(outcome.results[0].read_text())
    assert [snapshot["epoch"] for snapshot in result["snapshots"]] == [0, 30]
    assert result["snapshots"][1]["fit"] == result["fit"]
    assert result["snapshots"][0]["fit"] != result["fit"]


def test_snapshots_are_made_though_a_training_without_them_was_interrupted(tmp_path):
    plain = SweepItem(options=TINY, seed=0, methods=())
    state = initial_state(TINY, (0,))
    continue_training(state, until=20)
    plain.state_file(tmp_path).parent.mkdir(parents=True)
    save_state(state, plain.state_file(tmp_path))
    item = SweepItem(options=TINY, seed=0, methods=(), snapshot_epochs=(10, 30))
    outcome = run_sweep([item], tmp_path, Serial())
    assert outcome.failures == ()
    assert [s["epoch"] for s in json.loads(outcome.results[0].read_text())["snapshots"]] == [10, 30]


def test_table_round_trip_and_statistics(tmp_path):
    rows = result_rows(run_sweep(tiny_items(), tmp_path, Serial()).results)
    assert [row["seed"] for row in rows] == [0, 1, 2]
    again = read_csv(csv_text(rows))
    assert again[1]["accuracy"] == pytest.approx(rows[1]["accuracy"], rel=1e-5)
    assert again[1]["activation"] == "relu"
    found = {s.quantity: s for s in statistics(rows)}
    accuracy = np.array([row["accuracy"] for row in rows])
    assert found["accuracy"].mean == pytest.approx(accuracy.mean())
    # Student's t at 0.975 with 2 degrees of freedom is 4.302653 (any table)
    half = 4.302653 * accuracy.std(ddof=1) / math.sqrt(3)
    assert found["accuracy"].interval.high - found["accuracy"].mean == pytest.approx(half, rel=1e-5)
    alone = {s.quantity: s for s in statistics(rows[:1])}
    assert alone["accuracy"].interval is None
    with pytest.raises(OptionError, match="no result to summarise"):
        statistics([])


def test_rows_leave_out_what_has_no_weight():
    def group(frequency, weight, s):
        zero = {"e_A": [1.0, 0.0], "e_B": [1.2, 0.0], "s_A": [s, 0.1], "s_B": [s, 0.1], "kappa": 0.2}
        numbers = {"frequency": frequency, "neurons": 4, "weight": weight, "phase_mismatch_rms": -s}
        return zero | numbers | {"exponential_sums": [0.1] * 6} | chance

    bounds = [{"frequency": 2, "total": 0.4}, {"frequency": 3, "total": 1.5}, {"frequency": 5, "total": 99.0}]

    def found():
        return {
            "evaluation": {"accuracy": 1.0, "min_margin": 2.0, "mean_margin": 3.0},
            "fit": {"frequencies": [group(2, 3.0, -0.05), group(3, 1.0, -0.13), group(5, 0.01, -9.0)]},
            "decompose": {"stages": [{"name": "quadrature", "r_squared": 0.9}], "terms": []},
            "certify": {"rectangle": {"frequencies": bounds}},
        }

    chance = {}
    row = analysis_row(found())
    assert (row["key_frequencies"], row["frequencies"], row["locked_groups"]) == (2, "2 3", 1)
    assert row["sigma"] == pytest.approx(0.75 * 0.05 + 0.25 * 0.13)
    assert row["mismatch_rms"] == pytest.approx(math.sqrt(0.75 * 0.05**2 + 0.25 * 0.13**2))
    assert row["asymmetry"] == pytest.approx(0.1)
    assert (row["evenness"], row["evenness_random"]) == (pytest.approx(0.1), pytest.approx(0.5))
    assert row["rectangle_worst"] == 1.5
    chance = {"chance": 0.6}  # of unequal weights: √(Σ w²) / Σ w, above 1/√n
    assert analysis_row(found())["evenness_random"] == pytest.approx(0.6)
    assert row["rectangle_non_vacuous"] == 0.5


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"item": 3}'])
def test_file_that_is_no_result_is_refused(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"x\.json is not a sweep's result"):
        result_rows([tmp_path / "x.json"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "x"), "seeds must be whole numbers"),
        (("--p", "2"), "p must be an integer >= 3, got 2"),
        (("--methods", "guess"), "methods must be different ones of"),
        (("--snapshots", "-1"), "snapshots must be >= 0"),
        (("--workers", "2", "--dask", "tcp://x:1"), "give --workers or --dask, not both"),
        (("--workers", "0"), "workers must be >= 1"),
    ],
)
def test_sweep_command_refuses_in_one_line(capsys, tmp_path, options, message):
    with pytest.raises(SystemExit) as stop:
        main(["sweep", "--seeds", "0", "-o", str(tmp_path / "out"), *options])
    captured = capsys.readouterr()
    assert stop.value.code == 2
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_sweep_command_reports_failures_with_status_1(capsys, tmp_path):
    small = ["--p", "7", "--neurons", "24", "--d-model", "16", "--epochs", "30", "--seeds", "0", "--workers", "1"]
    with pytest.raises(SystemExit) as stop:
        main(["sweep", *small, "--learning-rate", "1e30", "-o", str(tmp_path), "--json"])
    captured = capsys.readouterr()
    assert stop.value.code == 1
    assert json.loads(captured.out)["networks"] == 0
    assert "failed: OptionError: training diverged" in captured.err
