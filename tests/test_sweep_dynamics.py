"""Milestones are the epochs from which on a property lasts."""

import pytest

from quadlens.circuits.training_options import TrainingOptions
from quadlens.errors import CheckpointError
from quadlens.sweep.dynamics import dynamics_rows, milestones
from quadlens.sweep.item import SweepItem
from quadlens.sweep.worker import run_item


def row(epoch, accuracy, explained, certified=None):
    given = {"seed": 4, "epoch": epoch, "accuracy": accuracy, "r_squared_quadrature": explained}
    return given if certified is None else given | {"linear_certified": certified}


def test_milestones_must_last():
    rows = [row(1, 1.0, 0.2, 0.0), row(2, 0.9, 0.995, 1.0), row(3, 1.0, 0.98, 0.9), row(4, 1.0, 0.99, 0.99)]
    found = milestones(rows)
    assert (found.seed, found.generalises, found.quadrature, found.certifiable) == (4, 3, 4, None)
    assert milestones(rows[:2]).generalises is None
    assert milestones([row(1, 1.0, 1.0)]).certifiable is None


def test_rows_follow_the_snapshots(tmp_path):
    options = TrainingOptions(p=7, neurons=24, d_model=16, epochs=20)
    items = [SweepItem(options=options, seed=s, methods=(), snapshot_epochs=(0, 5, 20)) for s in (1, 0)]
    for item in items:
        assert run_item(item.to_dict(), str(tmp_path)) == ()
    rows = dynamics_rows(item.result_file(tmp_path) for item in items)
    assert [(r["seed"], r["epoch"]) for r in rows] == [(s, e) for s in (0, 1) for e in (0, 5, 20)]
    assert rows[0]["mismatch_rms"] != rows[2]["mismatch_rms"]


def test_file_that_is_no_result_is_refused(tmp_path):
    (tmp_path / "x.json").write_text('{"item": {"seed": 1}}')
    with pytest.raises(CheckpointError, match=r"x\.json is not a sweep's result"):
        dynamics_rows([tmp_path / "x.json"])
