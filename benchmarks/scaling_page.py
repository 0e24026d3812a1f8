"""docs/scaling.md and its picture, from what benchmarks/scaling.py stored.

``python benchmarks/scaling_page.py`` writes both.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STORED = ROOT / "docs" / "results" / "scaling.json"
PAGE = ROOT / "docs" / "scaling.md"
PICTURE = ROOT / "docs" / "images" / "scaling.svg"

TITLES = {
    "measure": "`cardio measure --no-sheets`",
    "features": "`cardio run`, features alone",
    "run": "`cardio run`, whole",
    "predict": "`cardio predict`",
    "page": "`cardio report`",
    "judge": "`cardio judge`",
    "join": "features joined and read (core alone)",
}
LIMIT_MB, LIMIT_EXPONENT = 2000, 1.05


def exponent(took: list[dict[str, Any]]) -> float | None:
    """Return by which power of the patients processor time grows, over the two largest sizes.

    None where there are not two, or they were not the same command.

    Examples
    --------
    >>> exponent([{"n": 1000, "processor_s": 100.0}, {"n": 2000, "processor_s": 200.0}])
    1.0
    >>> exponent([{"n": 1000, "processor_s": 100.0}]) is None
    True
    """
    sizes = sorted(took, key=lambda one: one["n"])[-2:]
    typed = {str(one.get("command")).replace(str(one["n"]), "N") for one in sizes}
    if len(sizes) < 2 or len(typed) > 1:
        return None
    (n, s), (n_more, s_more) = ((one["n"], one["processor_s"]) for one in sizes)
    return round(math.log(s_more / s) / math.log(n_more / n), 3)


def steps(stored: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return what was measured by step; the features of a run are a step of their own."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in stored["took"]:
        found.setdefault(one["step"], []).append(one)
        if "features" in one.get("stages", {}):
            part = one | {"peak_mb": None, "command": ""} | one["stages"]["features"]
            found.setdefault("features", []).append(part)
    return {name: sorted(found[name], key=lambda one: one["n"]) for name in TITLES if name in found}


def table(stored: dict[str, Any]) -> str:
    """Return the numbers, a line a step: time a patient at each size, memory at the largest."""
    sizes = stored["sizes"]
    lines = [
        f"|step|{'|'.join(f'{n:,} patients' for n in sizes)}|exponent|peak memory, MB|",
        f"|---|{'---:|' * len(sizes)}---:|---:|",
    ]
    for name, took in steps(stored).items():
        power = exponent(took)
        each = {one["n"]: f"{1000 * one['processor_s'] / one['n']:.1f} ms" for one in took}
        memory = [one["peak_mb"] for one in took if one["peak_mb"] is not None]
        last = "" if power is None else f"{power:.2f}"
        peak = f"{max(memory):,}" if memory else ""
        cells = [TITLES[name], *(each.get(n, "") for n in sizes), last, peak]
        lines.append(f"|{'|'.join(cells)}|")
    return "\n".join(lines)


def aims(stored: dict[str, Any]) -> str:
    """Say which steps miss the aims of time and memory.

    The exponent is held against the aim with all its digits, of which the table shows two.
    """
    found = steps(stored)
    powers = {name: exponent(took) for name, took in found.items()}
    peaks = {name: [one["peak_mb"] or 0 for one in took] for name, took in found.items()}
    slow = {n: f"{power:.2f}" for n, power in powers.items() if power and power > LIMIT_EXPONENT}
    large = {n: f"{max(peak):,} MB" for n, peak in peaks.items() if max(peak) > LIMIT_MB}
    return (
        f"Aims: an exponent of processor time of at most {LIMIT_EXPONENT}, missed by "
        f"{_listed(slow)}; memory of at most {LIMIT_MB:,} MB, missed by {_listed(large)}."
    )


def _listed(shown: dict[str, str]) -> str:
    return ", ".join(f"{TITLES[name]} ({value})" for name, value in shown.items()) or "none"


def when(stored: dict[str, Any]) -> str:
    """Return when, where and of which code."""
    made = stored["took"]
    joined = {key: ", ".join(sorted({one[key] for one in made})) for key in ("date", "commit")}
    machines = "; ".join(sorted({one["machine"] for one in made}))
    return f"Measured on {joined['date']}, commits {joined['commit']}; {machines}."


def page(stored: dict[str, Any]) -> str:
    """Return the page."""
    return TEXT.format(table=table(stored), aims=aims(stored), when=when(stored))


TEXT = """# Large cohorts

<!-- Made by python benchmarks/scaling_page.py; change that, not this. -->

Recordings and features stay on disk; only ids, flags and answers, some 50 kB per patient, grow in
memory. Processor time per patient, for twelve-lead ECGs of ten seconds in WFDB files, one process
and one thread:

![Processor time and memory against the number of patients](images/scaling.svg)

{table}

{aims} The exponent is that between the two largest sizes.

Memory includes loaded libraries (torch takes 0.4 GB). A forest's trees grow with the patients, in
memory and faster than linearly in time; at 20,000 patients the study omits it, so the whole run has
no exponent. Pages hold summaries (at most 340 kB); lists by patient are in the CSV files.

<!-- slow -->
```sh
python benchmarks/scaling.py --out scaling --store
```

{when}
"""


def draw(stored: dict[str, Any]) -> None:
    """Draw processor time and memory against the number of patients."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cardio"
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for name, took in steps(stored).items():
        n = [one["n"] for one in took]
        label = TITLES[name].replace("`", "")
        left.plot(n, [one["processor_s"] for one in took], "o-", label=label)
        known = [one for one in took if one["peak_mb"] is not None]
        right.plot(
            [one["n"] for one in known], [one["peak_mb"] for one in known], "o-", label=label
        )
    left.set(xscale="log", yscale="log", xlabel="patients", ylabel="processor time (s)")
    right.set(xscale="log", xlabel="patients", ylabel="memory at most (MB)", ylim=(0, 2200))
    right.axhline(LIMIT_MB, color="0.5", linestyle=":", label="limit")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=7
    )
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    kept = json.loads(STORED.read_text(encoding="utf-8"))
    PAGE.write_text(page(kept), encoding="utf-8")
    draw(kept)
