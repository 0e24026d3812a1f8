"""The page on several devices and GPUs, what it is made of, and the script that measures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_without_a_file_of_a_gpu_the_page_says_that_there_is_no_figure(of_benchmarks):
    page = of_benchmarks("gpu_page")
    nothing = dict.fromkeys(page.FILES)
    of_a_cpu = nothing | {"gpu": {"hardware": {"kind": "cpu"}}}
    for found in (nothing, of_a_cpu):
        text = page.page(found)
        assert "No figure of a GPU exists" in text
        assert "**Untested**" in text


def test_figures_of_a_gpu_stand_beside_hardware_driver_commit_and_command(of_benchmarks):
    speed = {"train_samples_s": 1234.5, "predict_samples_s": 2.0}
    shares = {"train_share_of_peak": 0.41, "predict_share_of_peak": 0.3, "train_memory_mib": 9.0}
    network = {
        "title": "A network",
        "bare": [{"arithmetic": "bf16", "channels_last": True} | speed | shares],
        "engine": [{"precision": "bf16", "n_workers": 2} | speed],
        "waiting": {"2": 0.07},
        "compile": {"not_measured": "not asked for"},
        "cuda_graph": {"speedup": 1.5},
        "together": [{"networks": 5, "speedup": 3.0}],
    }
    metric = {"name": "auc", "target": "t", "value": 0.8, "low": 0.7, "high": 0.9, "n": 40}
    run = {"command": "cardio run", "seconds": 61.0, "metrics": [metric]}
    found = {
        "hardware": {
            "kind": "cuda", "name": "Some GPU", "memory_gib": 80.0, "capability": "9.0",
            "driver": "550.1", "cuda": "12.4", "cudnn": 90100, "host": "x86_64, 8 cores",
        },
        "peak_flops": {"bf16": 7e14}, "command": "python benchmarks/gpu.py --device cuda",
        "date": "2000-01-01", "commit": "0123456789abcdef", "versions": {"torch": "9"},
        "networks": {"one": network}, "runs": {"plugin": {"bf16": run}},
    }  # fmt: skip
    text = of_benchmarks("gpu_page").page({"gpu": found, "shared": None, "together": None})
    assert "No figure" not in text
    for said in (
        "Some GPU", "550.1", "0123456789", "--device cuda", "bf16 700.0", "| 1234.5 | 41% | 9 |",
        "| bf16 | 2 | 1234.5 | 2 | 7% |", "| not asked for | 1.50 x | 5: 3.00 x |",
        "0.800 (0.700 to 0.900)",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.slow
def test_the_stored_shared_fits_are_those_of_one_process_and_leave_nobody_behind(of_benchmarks):
    stored = of_benchmarks("gpu_page").stored()["shared"]
    if stored is None:
        pytest.skip("docs/results/shared_fit.json is not there")
    assert len(stored["equal"]) >= 12
    for name, row in stored["equal"].items():
        assert row["weights"] <= 1e-6 < 1e-2 < row["moved"], name
        assert row["scores"] is None or row["scores"] <= 1e-5, name
        assert row["best_epoch"][0] == row["best_epoch"][1], name
        assert any("devices at once" in note for note in row["notes"]), name
    assert {"one process is killed", "the leader is killed"} <= set(stored["ends"])
    assert {row["left"] for row in stored["ends"].values()} == {0}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain; the last batch has 1 example", "three processes"])
def test_a_shared_fit_is_that_of_one_process(name):
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/shared_fit.py"), "--only", name],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    row = json.loads(done.stdout.splitlines()[-1])["equal"][name]
    assert row["weights"] <= 1e-6
    assert row["best_epoch"][0] == row["best_epoch"][1]


def measured(of_benchmarks, folder, *given):
    file = folder / "figures.json"
    assert (
        of_benchmarks("gpu").main(["--small", "--device", "cpu", *given, "--json", str(file)]) == 0
    )
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_script_runs_on_a_cpu_and_says_that_it_is_one(of_benchmarks, tmp_path):
    found = measured(of_benchmarks, tmp_path, "--only", "autoencoder", "--runs")
    assert found["small"]
    assert found["hardware"]["kind"] == "cpu"
    assert found["command"].startswith("python benchmarks/gpu.py --small --device cpu")
    one = found["networks"]["autoencoder"]
    # Four products of 96 x 32 and 32 x 8, two operations each.
    assert one["flops"]["predict"] == 2 * 2 * (96 * 32 + 32 * 8)
    assert one["cuda_graph"] == {"not_measured": "CUDA graphs need a GPU"}
    assert [row["train_memory_mib"] for row in one["bare"]] == [None] * 4
    assert one["together"][0]["largest_difference_of_gradients"] < 1e-5
    assert [row["precision"] for row in one["engine"]] == ["32", "bf16"]


def test_full_sizes_are_refused_on_a_cpu(of_benchmarks, capsys):
    assert of_benchmarks("gpu").main(["--device", "cpu"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("On a CPU expected --small")
    assert said.count("\n") == 1


@pytest.mark.slow
def test_the_whole_script_runs_on_a_cpu(of_benchmarks, tmp_path):
    found = measured(of_benchmarks, tmp_path)
    assert len(found["networks"]) == 6
    for runs in found["runs"].values():
        assert set(runs) == {"32", "bf16"}
        for run in runs.values():
            assert run["metrics"], run
