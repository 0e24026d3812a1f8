"""One fit shared by processes beside the same fit in one: weights, and how it ends when one dies.

    python benchmarks/shared_fit.py

On a CPU, by gloo, on networks without statistics of batches; what is augmented draws as many random
numbers as an example has values. Stored are the largest difference of a weight and of a validation
score, and which epoch each kept; for the ways to end, the seconds of the clock until the fit has
raised and every process is gone, and what it said. No figure of a GPU is among them.

``--only NAME`` runs one of them and stores nothing; the names are in the stored file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cardio_core.compute.devices import Device, cpu_count
from cardio_core.compute.processes import one_thread
from cardio_core.training.engine import Fitted, fit
from cardio_core.training.plan import FitPlan

ROOT = Path(__file__).parents[1]
STORED = ROOT / "docs" / "results" / "shared_fit.json"
N, N_VALIDATION, EPOCHS = 113, 45, 6
WHEN = "SHARED_FIT_WHEN"


class Pictures:
    """Noisy pictures of two kinds; training adds noise of its own, drawn for a batch at once."""

    def __init__(self, n: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 2, n)
        shape = np.add.outer(np.arange(8), np.arange(8)) / 14
        self.pictures = rng.normal(size=(n, 1, 8, 8)) + self.labels[:, None, None, None] * shape
        self.pictures = self.pictures.astype(np.float32)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: np.ndarray, rng: np.random.Generator | None) -> dict[str, Any]:
        """Return pictures with their labels."""
        shown = self.pictures[indices]
        if rng is not None:
            shown = shown + 0.3 * rng.normal(size=shown.shape).astype(np.float32)
        return {
            "inputs": torch.from_numpy(shown),
            "targets": torch.from_numpy(self.labels[indices]),
        }


class Network(nn.Module):
    """Two convolutions and a line, without statistics of batches."""

    def __init__(self, dropout: float = 0.0, most: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(), nn.Dropout(dropout),
            nn.Conv2d(8, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2),
        )  # fmt: skip
        self.most = most

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return two logits a picture; refuse more pictures than `most`, as a full device would."""
        if self.training and self.most is not None and len(pictures) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        logits: torch.Tensor = self.layers(pictures)
        return logits


def cross_entropy(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean over examples."""
    return nn.functional.cross_entropy(outputs, batch["targets"])


def weighted(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return a mean that is divided by the weights of the classes that a batch happens to hold."""
    weight = torch.tensor([0.2, 1.8])
    return nn.functional.cross_entropy(outputs, batch["targets"], weight=weight)


def accuracy(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Return the share of pictures that are named rightly."""
    return float((outputs.argmax(axis=1) == targets).mean())


def plan(**changes: Any) -> FitPlan:
    """Return how the networks are trained."""
    return FitPlan(**{"epochs": EPOCHS, "batch_size": 16, "learning_rate": 3e-3} | changes)


EQUAL: dict[str, dict[str, Any]] = {
    "plain; the last batch has 1 example": {},
    "three processes": {"world": 3},
    "weights drawn with replacement": {"plan": plan(draw=70), "weights": np.arange(N, dtype=float)},
    "three batches accumulated": {"plan": plan(batch_size=8, accumulate=3)},
    "memory ran out once": {"most": 4, "alone": {"most": 8}},
    "moving average, clipped gradients": {"plan": plan(ema_decay=0.9, gradient_clip=0.5)},
    "sgd, cosine with warm-up": {
        "plan": plan(optimizer="sgd", schedule="cosine", warmup_epochs=1.0, learning_rate=0.05)
    },
    "adamw, one cycle": {"plan": plan(optimizer="adamw", schedule="onecycle", weight_decay=0.1)},
    "stopped early by its score": {"plan": plan(epochs=40, patience=2), "score": accuracy},
    "no validation": {"validation": None},
    "batches made by two workers": {"plan": plan(n_workers=2)},
    "5 examples, 3 processes": {"n": 5, "world": 3, "plan": plan(batch_size=4)},
}
"""Ways to train in which a shared fit is the fit of one process, up to rounding."""

OTHER: dict[str, dict[str, Any]] = {
    "dropout": {"dropout": 0.3},
    "a loss divided by its class weights": {"loss": weighted},
    "bf16": {"precision": "bf16"},
}
"""Ways in which it is not, and how far it is off."""


def device_of(world: int, precision: str = "32") -> Device:
    """Return a CPU with so many processes."""
    others = tuple(Device("cpu", i, "CPU", precision, "asked for") for i in range(1, world))
    return Device("cpu", None, "CPU", precision, "asked for", others)  # type: ignore[arg-type]


def trained(world: int, way: dict[str, Any], **more: Any) -> Fitted[Network]:
    """Train one network in so many processes."""
    way = way | (way.get("alone", {}) if world == 1 else {})
    given = {name: way[name] for name in ("weights", "score") if name in way}
    with tempfile.TemporaryDirectory() as folder, one_thread():
        return fit(
            Network(way.get("dropout", 0.0), way.get("most")),
            Pictures(way.get("n", N), 1),
            way.get("validation", Pictures(N_VALIDATION, 2)),
            loss=way.get("loss", cross_entropy),
            plan=way.get("plan", plan()),
            device=device_of(world, way.get("precision", "32")),
            seed=4,
            out=Path(folder),
            **given,
            **more,
        )


def compared(way: dict[str, Any]) -> dict[str, Any]:
    """Train in one process and in several; return how far apart they come out."""
    world = way.get("world", 2)
    alone, shared = (trained(n, way) for n in (1, world))
    pairs = zip(
        alone.network.state_dict().values(), shared.network.state_dict().values(), strict=True
    )
    scores = [[row["val_score"] for row in one.history] for one in (alone, shared)]
    start = dict(Network().state_dict())
    moved = max(float((v - start[k]).abs().max()) for k, v in alone.network.state_dict().items())
    return {
        "processes": world,
        "epochs": len(shared.history),
        "weights": max(float((a - b).abs().max()) for a, b in pairs),
        "moved": moved,
        "scores": None
        if scores[0][0] is None
        else max(abs(a - b) for a, b in zip(*scores, strict=True)),
        "best_epoch": [alone.best_epoch, shared.best_epoch],
        "notes": list(map(str, shared.notes)),
    }


def second() -> bool:
    """Say whether this is the second of the processes, and when it found that out."""
    if os.environ.get("LOCAL_RANK") != "1":
        return False
    moment(os.environ[WHEN])
    return True


def moment(file: str) -> None:
    """Note the time in a file, the first time."""
    if not Path(file).exists():
        Path(file).write_text(repr(time.time()), encoding="ascii")


def dies(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Let the second process be killed."""
    if second():
        os.kill(os.getpid(), 9)
    return cross_entropy(outputs, batch)


def fails(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Let the second process fail."""
    if second():
        raise ValueError("a loss that fails in one process")
    return cross_entropy(outputs, batch)


def is_nan(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Let the loss be no number in the second process alone."""
    loss = cross_entropy(outputs, batch)
    return loss * float("nan") if second() else loss


def no_score(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Let the score fail, which only the first process computes."""
    moment(os.environ[WHEN])
    raise ValueError("a score that fails")


ENDS: dict[str, dict[str, Any]] = {
    "one process is killed": {"loss": dies},
    "one process fails": {"loss": fails},
    "the loss of one is no number": {"loss": is_nan, "plan": plan(epochs=1)},
    "the score fails": {"score": no_score},
}
"""Ways to end before the end."""


def ended(way: dict[str, Any]) -> dict[str, Any]:
    """Train until it fails; return what was said, how soon, and how many processes were left."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "when"
        os.environ[WHEN] = str(file)
        try:
            trained(2, way)
            said = "nothing"
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        passed = time.time() - float(file.read_text(encoding="ascii"))
    return {"said": said, "s": round(passed, 1), "left": len(left_over())}


def left_over() -> list[str]:
    """Return the processes of shared fits that are still there."""
    shown = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    return [line for line in shown.stdout.splitlines() if "team.rank import main" in line]


def orphaned() -> dict[str, Any]:
    """Kill the process that leads; return the seconds until those it started are gone."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import shared_fit as s\n"
        "s.trained(2, {'plan': s.plan(epochs=100000)}, progress=lambda *_: print(1, flush=True))"
    )
    # By reference the classes would have to be found by the processes of the fit.
    path = f"{Path(__file__).parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    leader = subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert leader.stdout is not None
    leader.stdout.readline()
    n = len(left_over())
    leader.kill()
    leader.wait()
    killed = time.monotonic()
    while left_over() and time.monotonic() - killed < 60:
        time.sleep(0.05)
    return {"processes": n, "s": round(time.monotonic() - killed, 1), "left": len(left_over())}


def commit() -> str:
    """Return the commit of the sources."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def where() -> dict[str, Any]:
    """Return when, from which sources and on what this ran."""
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ] if Path("/proc/cpuinfo").is_file() else []  # fmt: skip
    return {
        "command": "python benchmarks/shared_fit.py",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "machine": f"{model[0] if model else platform.processor()}, {cpu_count()} cores",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }


def main() -> None:
    """Run all, or one, and store or print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=(*EQUAL, *OTHER, *ENDS, "the leader is killed"))
    asked = parser.parse_args()
    found: dict[str, Any] = where() | {"n": [N, N_VALIDATION], "equal": {}, "other": {}, "ends": {}}
    kinds: list[tuple[str, dict[str, dict[str, Any]], Callable[[dict[str, Any]], Any]]] = [
        ("equal", EQUAL, compared),
        ("other", OTHER, compared),
        ("ends", ENDS, ended),
    ]
    for kind, ways, run in kinds:
        for name, way in ways.items():
            if asked.only in (None, name):
                found[kind][name] = run(way)
                print(name, json.dumps(found[kind][name]), flush=True)
    if asked.only in (None, "the leader is killed"):
        found["ends"]["the leader is killed"] = orphaned()
    if asked.only is None:
        STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    else:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
