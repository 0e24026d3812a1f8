"""Time left: the first estimate is within 30 % of the truth, or there is none."""

from __future__ import annotations

import heapq
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cardio_core.runner.progress import Fit, FitTimes, Steady
from cardio_core.runner.train import telling_first

RECORDED = json.loads((Path(__file__).parent / "stored" / "fit_times.json").read_text())["runs"]


def replay(fits: dict[str, Fit], seconds: dict[str, float], n_workers: int):
    """Yield (estimate, truth) after each finished fit, where workers take them in order."""
    free = [(0.0, worker) for worker in range(n_workers)]
    done = []
    for key in fits:
        start, worker = heapq.heappop(free)
        heapq.heappush(free, (start + seconds[key], worker))
        done.append((start + seconds[key], start, key, worker))
    end = max(done)[0]
    times = FitTimes(fits)
    for now, _, key, worker in sorted(done):
        times.finished(key, seconds[key], str(worker))
        running = {k: now - start for ends, start, k, _ in done if start <= now < ends}
        yield times.left(running, n_workers), end - now


def first_estimate(fits, seconds, n_workers):
    """Return the first estimate that would be shown, and the truth; None where there is none."""
    for left, truth in replay(fits, seconds, n_workers):
        if left is not None and left >= 2:
            return left, truth
    return None


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize("name", RECORDED)
def test_on_recorded_runs_the_first_estimate_is_within_30_percent(name, n_workers):
    rows = RECORDED[name]
    fits = {str(i): Fit(model, kind, work) for i, (model, kind, work, _) in enumerate(rows)}
    first = first_estimate(fits, {str(i): row[3] for i, row in enumerate(rows)}, n_workers)
    assert first is None or first[0] == pytest.approx(first[1], rel=0.3)


def test_a_long_recorded_run_has_an_estimate_before_its_middle():
    rows = RECORDED["ecg_transfer crt_response"]
    fits = {str(i): Fit(model, kind, work) for i, (model, kind, work, _) in enumerate(rows)}
    left, truth = first_estimate(fits, {str(i): row[3] for i, row in enumerate(rows)}, 1)
    assert truth > sum(row[3] for row in rows) / 2
    assert left == pytest.approx(truth, rel=0.3)


def simulated(rng):
    """Return fits of three models under two protocols, and times that nobody could foresee."""
    fits, seconds = {}, {}
    n_folds = {"honest": int(rng.integers(3, 11)), "paper": int(rng.integers(1, 11))}
    protocol = {"honest": 1.0, "paper": float(rng.uniform(0.4, 2.0))}
    spread = float(rng.uniform(0.02, 0.3))
    models = {"network": 120.0, "smaller": 45.0, "rule": 0.1}
    for turn in range(11):
        for kind, n in n_folds.items():
            n_here = n + (kind == "honest")  # the last is the final model
            for model, cost in models.items() if turn < n_here else ():
                size = 100.0 if turn < n else 100.0 * n / (n - 1)
                key = f"{kind}-{turn}-{model}"
                fits[key] = Fit(model, kind, size**0.5)
                noise = float(rng.lognormal(0, spread))
                seconds[key] = cost * protocol[kind] * (size / 100) * noise + (6 if not turn else 0)
    return fits, seconds


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_on_simulated_runs_nineteen_of_twenty_first_estimates_are_within_30_percent(n_workers):
    near, told = [], 0
    for seed in range(200):
        fits, seconds = simulated(np.random.default_rng(seed))
        first = first_estimate(fits, seconds, n_workers)
        if first is not None:
            told += 1
            near.append(abs(first[0] / first[1] - 1) <= 0.3)
    assert told > 150
    assert np.mean(near) >= 0.95


def test_nothing_is_said_before_every_model_has_been_timed():
    fits = {f"{i}{m}": Fit(m, "honest", 1.0) for i in range(9) for m in ("quick", "slow")}
    times = FitTimes(fits)
    for i in range(9):
        times.finished(f"{i}quick", 1.0, "a")
    assert times.left({}, 1) is None


def test_the_first_fit_of_a_process_which_also_imports_does_not_count():
    fits = {str(i): Fit("network", "honest", 1.0) for i in range(40)}
    times = FitTimes(fits)
    times.finished("0", 30.0, "a")
    for i in range(1, 11):
        times.finished(str(i), 2.0, "a")
    assert times.left({}, 1) == pytest.approx(29 * 2.0)
    assert times.left({}, 2) == pytest.approx(15 * 2.0)


def test_what_is_under_way_counts_with_what_is_left_of_it():
    fits = {str(i): Fit("network", "honest", 1.0) for i in range(21)}
    times = FitTimes(fits)
    for i in range(20):
        times.finished(str(i), 10.0, "a")
    assert times.left({"20": 4.0}, 1) == pytest.approx(6.0)


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_patients_one_like_the_other_are_foreseen_within_30_percent(n_workers):
    near, told = [], 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        seconds = rng.lognormal(0, 0.3, 60)
        free = [float(rng.uniform(3, 6)) for _ in range(n_workers)]  # imports
        ends = []
        for one in seconds:
            end = heapq.heappop(free) + one
            heapq.heappush(free, end)
            ends.append(end)
        ends.sort()
        steady = Steady(60, 0.0)
        for end in ends[:-1]:
            steady.finished(end)
            left = steady.left(end)
            if left is not None and left >= 2:
                told += 1
                near.append(abs(left / (ends[-1] - end) - 1) <= 0.3)
                break
    assert told > 150
    assert np.mean(near) >= 0.9


def test_patients_that_differ_greatly_are_not_foreseen():
    steady = Steady(100, 0.0)
    for end in (*range(1, 17), 80, 81):
        steady.finished(end)
    assert steady.left(81) is None


def test_fits_that_may_share_something_are_not_started_side_by_side():
    sizes = {"f0": 8, "f1": 8, "f2": 8, "final": 10}
    jobs = [
        SimpleNamespace(
            protocol=protocol, ctx=SimpleNamespace(model=model), fold=fold, train=np.empty(size)
        )
        for protocol in ("honest", "paper")
        for fold, size in sizes.items()
        if protocol == "honest" or fold == "f0"
        for model in ("one", "two")
    ]
    told = [(job.protocol, job.ctx.model, job.fold) for job in telling_first(jobs)]
    assert told == [
        ("honest", "one", "f0"), ("honest", "one", "f1"),
        ("honest", "two", "f0"), ("honest", "two", "f1"),
        ("paper", "one", "f0"), ("paper", "two", "f0"),
        ("honest", "one", "final"), ("honest", "one", "f2"),
        ("honest", "two", "final"), ("honest", "two", "f2"),
    ]  # fmt: skip
