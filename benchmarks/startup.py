"""What it costs to start: `cardio predict` beside `import torch`, in one run.

    python benchmarks/startup.py --plugin ecg_transfer --task aami_beats
    python benchmarks/startup.py --stats     # cardio stats beside import pandas, scipy.stats

Makes a smoke run, then predicts one synthetic recording. Times are processor seconds of a fresh
process, the least of several, and their ratio to `import torch`: from its start until the file is
read; all its imports, those that come later too; the whole command, prediction included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from speed.ratios import add_ratios, keep_ratios

HEAVY = (
    "torch", "lightning", "monai", "skops", "scipy.stats", "sklearn", "statsmodels", "matplotlib",
)  # fmt: skip
IMPORT_TORCH = "import json, time, torch; print(json.dumps({'all': time.process_time()}))"
PREDICT = """
import builtins, json, sys, time
plain_import, depth, imports = builtins.__import__, 0, 0.0
def timed_import(*arguments, **keywords):
    global depth, imports
    start, depth = time.process_time(), depth + 1
    try:
        return plain_import(*arguments, **keywords)
    finally:
        depth -= 1
        imports += 0 if depth else time.process_time() - start
builtins.__import__ = timed_import
from cardio_core.cli.main import main
from cardio_core.registry.plugin import Plugin
read, call = [], Plugin.call
def watched(self, hook, task, **arguments):
    if hook == "load":
        read.append((time.process_time(), [name for name in HEAVY if name in sys.modules]))
    return call(self, hook, task, **arguments)
Plugin.call = watched
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(json.dumps({
    "read": read[0][0], "imports": imports, "all": time.process_time(),
    "before": read[0][1], "after": [name for name in HEAVY if name in sys.modules],
}))
"""


def least(code: str, *words: str, repeats: int) -> dict[str, Any]:
    """Return what the fastest of several fresh processes says of itself."""
    said = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", f"HEAVY = {HEAVY}\n{code}", *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(done.stderr)
        said.append(json.loads(done.stdout.splitlines()[-1]))
    return min(said, key=lambda one: one["all"])


STATS = """
import json, sys, time
from cardio_core.cli.main import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(json.dumps({"all": time.process_time()}))
"""
IMPORT_SCIPY = (
    "import json, time, pandas, scipy.stats; print(json.dumps({'all': time.process_time()}))"
)


def stats(repeats: int) -> dict[str, float | None]:
    """Print the time of commands of `cardio stats` on 80 rows beside two imports; return ratios."""
    ratios: dict[str, float | None] = {}
    commands = {
        "table1": "--by arm", "univariable": "--outcome arm --features x,z",
        "multivariable": "--outcome arm --features x,z", "roc": "--outcome arm --score x",
        "compare": "--outcome arm --scores x,z", "calibration": "--outcome arm --score p",
        "agreement": "--reference x --measured z",
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        rows = [f"{n % 2},{n * 7 % 31},{n * 11 % 29},{(n * 13 % 97 + 1) / 99}" for n in range(80)]
        table.write_text("\n".join(["arm,x,z,p", *rows]))
        baseline = least(IMPORT_SCIPY, repeats=repeats)["all"]
        print(f"{'import pandas, scipy.stats':<34}{baseline:6.2f} s")
        for name, words in commands.items():
            seconds = least(STATS, "stats", name, str(table), *words.split(), repeats=repeats)[
                "all"
            ]
            print(f"{'cardio stats ' + name:<34}{seconds:6.2f} s  {seconds / baseline:.2f} x")
            ratios[f"import pandas, scipy.stats beside cardio stats {name}"] = baseline / seconds
    return ratios


def main() -> None:
    """Make a run, start predictions of it, and print their times beside torch's."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--plugin", default="ecg_transfer")
    parser.add_argument("--task", default="aami_beats")
    parser.add_argument("--set", action="append", default=[], help="as for cardio run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stats", action="store_true", help="measure cardio stats instead")
    add_ratios(parser)
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if asked.stats:
        keep_ratios(asked.ratios, stats(asked.repeats))
        return
    with tempfile.TemporaryDirectory() as folder:
        run, data = Path(folder) / "run", Path(folder) / "data"
        cardio = [sys.executable, "-c", "from cardio_core.cli.main import main; main()"]
        which = ["--task", asked.task, "--out"]
        synth = [*cardio, "data", "synth", asked.plugin, "--patients", "2"]
        subprocess.run([*synth, *which, data], check=True)
        recording = min(file for file in data.rglob("*") if file.suffix in (".hea", ".dcm"))
        subprocess.run(
            [*cardio, "run", "--plugin", asked.plugin, *which, run, "--smoke", "--device", "cpu",
             "--protocol", "honest", *(word for one in asked.set for word in ("--set", one))],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        torch = least(IMPORT_TORCH, repeats=asked.repeats)
        words = (
            "predict",
            str(run),
            str(recording),
            "--device",
            "cpu",
            "--out",
            f"{folder}/answer",
        )
        predict = least(PREDICT, *words, repeats=asked.repeats)
    lines: list[tuple[str, float, Any]] = [
        ("import torch", torch["all"], ()),
        ("predict, until it reads the file", predict["read"], predict["before"]),
        ("predict, all its imports", predict["imports"], predict["after"]),
        ("predict, in all", predict["all"], ()),
    ]
    keep_ratios(
        asked.ratios,
        {f"import torch beside cardio {name}": torch["all"] / took for name, took, _ in lines[1:]},
    )
    for name, seconds, modules in lines:
        ratio = f"{seconds / torch['all']:.2f} x"
        print(f"{name:<34}{seconds:6.2f} s  {ratio}  {', '.join(modules)}")


if __name__ == "__main__":
    main()
