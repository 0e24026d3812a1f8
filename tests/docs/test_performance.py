"""Ratios of the benchmarks are held against their floors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
try:
    import bench
    from speed.floors import FLOORS
    from speed.gates import judge
    from speed.stages import Clock
finally:
    sys.path.remove(str(BENCHMARKS))


def told(rounds, floors):
    return {one.name: (one.holds, one.told) for one in judge("b", rounds, {"b": floors})}


@pytest.mark.parametrize(
    ("values", "holds"), [([2.0, 9.0, 9.0], True), ([9.0, 1.0, 2.0], False), ([3.0], True)]
)
def test_a_ratio_is_judged_by_the_median_of_its_rounds(values, holds):
    found, said = told([{"x": value} for value in values], {"x": 3})["x"]
    assert found == holds
    assert ("BELOW its floor of 3 x" in said) != holds


def test_a_ratio_without_a_floor_and_a_floor_without_a_ratio_are_both_told():
    found = told([{"new": 5.0}], {"old": 2, "beside pROC": 2})
    assert found["new"] == (
        False,
        "new: has no floor; name one in benchmarks/speed/floors.py",
    )
    assert found["old"] == (False, "old: was not measured; floor 2 x")
    assert found["beside pROC"] == (True, "beside pROC: peer not installed; floor 2 x")


def test_bench_stores_what_it_measured_and_exits_1_naming_what_fell_below(
    tmp_path, monkeypatch, capsys
):
    measured = {"phase": 12.0, "echo_train": 1.2}
    monkeypatch.setattr(
        bench, "measure",
        lambda command, rounds: (
            [
                dict.fromkeys(FLOORS[command.partition(".py")[0]], measured[command.split(".")[0]])
                for _ in range(rounds)
            ],
            1.0,
        ),
    )  # fmt: skip
    out = tmp_path / "bench.json"
    bench.main(["--only", "phase", "--rounds", "2", "--out", str(out)])
    with pytest.raises(SystemExit) as stopped:
        bench.main(["--only", "echo_train", "--rounds", "2", "--out", str(out)])
    assert "training step of width 0.25 beside a plain loop: 1.2 x" in str(stopped.value.code)
    stored = json.loads(out.read_text())
    (phase,), (train,) = (stored[name]["ratios"].values() for name in ("phase", "echo_train"))
    assert phase["rounds"] == [12.0, 12.0] and phase["holds"] and not train["holds"]
    assert {"commit", "date", "machine", "command"} <= stored["phase"].keys()


def test_every_benchmark_has_floors():
    assert FLOORS.keys() == bench.BENCHES.keys()


def test_stages_within_each_other_add_up(monkeypatch):
    clock = Clock()
    with clock.stage("outer"):
        with clock.stage("inner"):
            sum(range(10_000))
        sum(range(10_000))
    clock.stop()
    assert set(clock.passed) == {"outer", "inner", *clock.passed} and len(clock.passed) == 3
    assert min(clock.passed.values()) > 0
    assert clock.calls == {"outer": 1, "inner": 1}
