"""The page docs/gpu.md, made of what is stored and of nothing else.

``python benchmarks/gpu_page.py`` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "gpu.md"
RESULTS = ROOT / "docs" / "results"
FILES = {"gpu": "gpu.json", "shared": "shared_fit.json", "together": "together_on_cpu.json"}

HEAD = """\
# Several devices, and GPUs

<!-- Made by python benchmarks/gpu_page.py; change that, not this. -->

`cardio run --device cuda` uses the first GPU, `cuda:1` the second; `auto` uses a GPU if there is
one and says so. `--precision bf16` computes forward and backward passes in bfloat16 and keeps
weights, losses and scores in float32.

## What `--devices N` does

1. **Independent fits first.** Every model of every fold is a separate fit. N GPUs, or N processes
   on a CPU, each do one at a time. On a CPU no number changes.
2. **Devices share a fit only if there are fewer fits than devices**, by Lightning's DDP: two fits
   on five devices get three and two. Fits, including their inner folds, are counted over the whole
   run, so that a resumed run fits the rest as it would have. `--device cpu --devices 2` shares a
   single fit between two processes (gloo).

A shared fit equals the fit of one device: the same batches in the same order, split among devices;
the same augmentation of each example (with random augmentation every process makes the whole batch:
with many devices set `n_workers`); gradients weighted by the number of examples; each validation
batch on one device, all scored by the first, which alone writes. If one device runs out of memory,
the batch is halved for all. If a process dies or fails, all end, and the run says which. The report
notes every shared fit, or why it was not shared:

- Networks with **batch normalisation** are shared only on GPUs (SyncBatchNorm). On a CPU such a fit
  stays in one process with a note. All networks of the four plugins have it except the autoencoder,
  which the engine does not train.
- A batch of one example is not shared, `torch.compile` is disabled in a shared fit, and nothing is
  shared on Windows.
- Dropout differs, as between seeds. A loss normalized by its weights within a batch is averaged
  over parts, as over accumulated batches.
"""

SHARED = """
## Two processes against one

A small convolutional network without batch normalisation, {n} pictures, {validation} for
validation, random augmentation, on a CPU by gloo: the largest difference of any weight after
training (at most 1e-6 is required), and how far training moved the weights.

<!-- slow -->
```sh
python benchmarks/shared_fit.py
```

| trained | processes | epochs | weights moved | difference | validation scores | epoch kept |
|---|---:|---:|---:|---:|---:|---|
"""

NO_GPU = """
## No figure of a GPU exists

No speed, memory, share of a peak or metric in these documents comes from a GPU. To measure them,
run:

```text
python benchmarks/gpu.py --device cuda --compile --json docs/results/gpu.json
python benchmarks/gpu_page.py
```

The small size tests the script on a CPU; its speeds mean nothing:

<!-- slow -->
```sh
python benchmarks/gpu.py --small --device cpu
```

**Untested**, for lack of a GPU: training and prediction on CUDA as a whole; `--precision 16` and
bf16 on a GPU (bf16 is tested on a CPU); recovery from CUDA's out of memory (tested with a raised
exception); pinned memory and non-blocking copies; shared fits by NCCL, and SyncBatchNorm; a process
lost while NCCL waits for it; a shared fit on a worker of a Dask cluster; `torch.compile` by Triton;
CUDA graphs; how far two runs on a GPU differ; several GPUs at once.
"""

TOGETHER = """
## Several small networks as one, on a CPU

Seeds and folds of a small network can be trained as one network of stacked weights (`torch.func`).
Little is gained: gradients of k networks in one pass against k passes, for the plugins' smallest
networks at full size, one core, median processor time of three runs. The engine does not do this;
the autoencoder of `spect_polar` does, with its own batched product.

<!-- slow -->
```sh
python benchmarks/gpu.py --device cpu --only beat_net autoencoder --runs --json together.json
```

| network | k | speed of one pass | largest difference of gradients |
|---|---:|---:|---:|
"""


def stored() -> dict[str, Any]:
    """Return what is stored; None for what is not."""
    found: dict[str, Any] = {}
    for name, file in FILES.items():
        path = RESULTS / file
        found[name] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found


def page(found: dict[str, Any]) -> str:
    """Return the page of what is stored."""
    text = HEAD
    if found["shared"] is not None:
        text += shared(found["shared"])
    gpu = found["gpu"]
    text += NO_GPU if gpu is None or gpu["hardware"]["kind"] != "cuda" else figures(gpu)
    if found["together"] is not None:
        text += together(found["together"])
    return text


def made(one: dict[str, Any]) -> str:
    """Return where figures come from, in a line."""
    place = one.get("machine") or one["hardware"]["host"]
    versions = ", ".join(f"{name} {version}" for name, version in one["versions"].items())
    return f"Made on {one['date']} at {one['commit'][:10]}; {place}; {versions}.\n"


def shared(one: dict[str, Any]) -> str:
    """Return the part on shared fits."""
    lines = [SHARED.format(n=one["n"][0], validation=one["n"][1]).rstrip()]
    lines += [_compared(name, row) for name, row in one["equal"].items()]
    lines += ["", "Fits that differ, and by how much (bf16: both in bf16):", ""]
    lines += [
        "| trained | processes | epochs | weights moved | difference | validation scores | epoch "
        "kept |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    lines += [_compared(name, row) for name, row in one["other"].items()]
    lines += ["", "How a shared fit ends, in seconds after the event:", ""]
    lines += ["| event | s | processes left | message |", "|---|---:|---:|---|"]
    for name, row in one["ends"].items():
        lines.append(
            f"| {name} | {row['s']} | {row['left']} | {row.get('said', 'nobody is left')} |"
        )
    return "\n".join([*lines, "", made(one)])


def _compared(name: str, row: dict[str, Any]) -> str:
    alone, other = row["best_epoch"]
    kept = f"{alone}" if alone == other else f"{alone} and {other}"
    scores = "" if row["scores"] is None else f"{row['scores']:.0e}"
    return (
        f"| {name} | {row['processes']} | {row['epochs']} | {row['moved']:.2f} | "
        f"{row['weights']:.0e} | {scores} | {kept} |"
    )


def together(one: dict[str, Any]) -> str:
    """Return the part on small networks trained as one."""
    lines = [TOGETHER.rstrip()]
    for network in one["networks"].values():
        for row in network["together"]:
            lines.append(
                f"| {network['title']} ({network['example']}) | {row['networks']} | "
                f"{row['speedup']:.2f} x | {row['largest_difference_of_gradients']:.0e} |"
            )
    return "\n".join([*lines, "", made(one)])


def figures(one: dict[str, Any]) -> str:
    """Return the part on a GPU."""
    what = one["hardware"]
    peaks = ", ".join(f"{kind} {peak / 1e12:.1f}" for kind, peak in one["peak_flops"].items())
    lines = [
        "",
        f"## On one {what['name']}",
        "",
        f"{what['memory_gib']} GiB, capability {what['capability']}, driver {what['driver']}, "
        f"CUDA {what['cuda']}, cuDNN {what['cudnn']}. Largest matrix products, TFLOP/s: {peaks}.",
        "",
        f"```text\n{one['command']}\n```",
        "",
        made(one),
        "| network | arithmetic | channels last | train, samples/s | of the peak | MiB | "
        "predict, samples/s | of the peak |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for network in one["networks"].values():
        for row in network["bare"]:
            lines.append(
                f"| {network['title']} | {row['arithmetic']} | "
                f"{'yes' if row['channels_last'] else 'no'} | {row['train_samples_s']:g} | "
                f"{row['train_share_of_peak']:.0%} | {row['train_memory_mib']:g} | "
                f"{row['predict_samples_s']:g} | {row['predict_share_of_peak']:.0%} |"
            )
    lines += ["", "By the engine, with the plugin's examples:", ""]
    lines += ["| network | precision | processes that make batches | train, samples/s | predict | "
              "time waiting |", "|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for network in one["networks"].values():
        for row in network["engine"]:
            waits = network["waiting"][str(row["n_workers"])]
            lines.append(
                f"| {network['title']} | {row['precision']} | {row['n_workers']} | "
                f"{row['train_samples_s']:g} | {row['predict_samples_s']:g} | {waits:.0%} |"
            )
    lines += ["", "| network | torch.compile | CUDA graph | several as one |", "|---|---|---|---|"]
    for network in one["networks"].values():
        both = [_speedup(network.get(name)) for name in ("compile", "cuda_graph")]
        several = ", ".join(
            f"{row['networks']}: {row['speedup']:.2f} x" for row in network.get("together", ())
        )
        lines.append(f"| {network['title']} | {' | '.join(both)} | {several} |")
    lines += ["", "Runs on synthetic cohorts, in float32 and in bf16:", ""]
    lines += ["| command | s | metric | value (95 % interval) |", "|---|---:|---|---|"]
    for runs in one["runs"].values():
        for run in runs.values():
            for row in run.get("metrics", ())[:4]:
                lines.append(
                    f"| `{run['command']}` | {run['seconds']} | {row['name']} {row['target']}, "
                    f"n = {row['n']} | {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f}) |"
                )
            if "failed" in run:
                lines.append(
                    f"| `{run['command']}` | {run['seconds']} | failed | {run['failed']} |"
                )
    return "\n".join([*lines, ""])


def _speedup(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return f"{row['speedup']:.2f} x" if "speedup" in row else row["not_measured"]


if __name__ == "__main__":
    PAGE.write_text(page(stored()), encoding="utf-8")
