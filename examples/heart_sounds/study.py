"""What the models reach on the synthetic cohort, by seed and difficulty; study.json and README.

Run where the plugin is installed: python examples/heart_sounds/study.py 3  (how many seeds)
"""

import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cardio_core.testing import call_cardio

DIFFICULTIES = ("easy", "medium", "hard")
HERE = Path(__file__).parent
STORED, README = HERE / "study.json", HERE / "README.md"
BLOCK = re.compile(r"(?<=<!-- study -->\n).*?(?=<!-- end -->)", re.DOTALL)


def auc_of(seed: int, difficulty: str, folder: Path) -> dict[str, list[float]]:
    """Return the area under the ROC curve of each model, with its interval."""
    out = folder / f"{difficulty}-{seed}"
    result = call_cardio(
        "run", "--plugin", "heart_sounds", "--config", "cpu", "--seed", str(seed),
        "--set", f"difficulty={difficulty}", "--device", "cpu", "--executor", "local:1",
        "--out", str(out), folder=folder,
    )  # fmt: skip
    if result.exit_code:
        raise SystemExit(result.stderr)
    metrics = json.loads((out / "metrics.json").read_text())
    return {
        metric["model"]: [round(metric[part], 3) for part in ("value", "low", "high")]
        for metric in metrics
        if metric["name"] == "auc"
        and not metric.get("subgroup")
        and metric.get("fold") in (None, "pooled")
    }


def rendered(stored: dict[str, Any]) -> str:
    """Return the README with what was stored."""
    lines = [
        "| synthetic cohort | network | regression on sound in systole and diastole |",
        "|---|---|---|",
    ]
    for name, models in stored["auc"].items():
        cells = [f"{auc:.3f} ({low:.3f} to {high:.3f})" for auc, low, high in models.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    n_runs = len(DIFFICULTIES) * int(stored["command"].split()[-1])
    ended = f"; ended after {len(stored['auc'])} of {n_runs} runs" * (len(stored["auc"]) < n_runs)
    lines += [
        "",
        f"*`{stored['command']}`, {stored['patients']} patients a run, measured on "
        f"{stored['date']}, code of {stored['commit']}; {stored['machine']}{ended}.*"
        + f" **Stale: {stored.get('stale')}; not measured again.**"
        * ("stale" in stored),
        "",
    ]
    text = "\n".join(lines)
    return BLOCK.sub(lambda _: text, README.read_text(encoding="utf-8"))


def processor() -> str:
    """Return the processor as the system names it, else its kind."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.is_file() else ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.machine()


def main(n_seeds: int) -> None:
    """Run every difficulty with every seed, and store what was found after each."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE
    ).stdout.strip()
    found: dict[str, dict[str, list[float]]] = {}
    about = {
        "command": f"python examples/heart_sounds/study.py {n_seeds}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit,
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        "patients": 60,
        "auc": found,
    }
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(n_seeds):
            for difficulty in DIFFICULTIES:
                found[f"{difficulty}, seed {seed}"] = auc_of(seed, difficulty, Path(folder))
                STORED.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
                README.write_text(rendered(about), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]))
