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
    """Return the numbers, a line a step and size."""
    lines = [
        "| step | patients | processor, s | per patient, ms | peak memory, MB | exponent |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, took in steps(stored).items():
        power = exponent(took)
        for place, one in enumerate(took):
            last = place == len(took) - 1 and power is not None
            each = 1000 * one["processor_s"] / one["n"]
            memory = "" if one["peak_mb"] is None else f"{one['peak_mb']:,}"
            lines.append(
                f"| {TITLES[name] if not place else ''} | {one['n']:,} | {one['processor_s']:,.1f} "
                f"| {each:.1f} | {memory} | {f'{power:.2f}' if last else ''} |"
            )
    return "\n".join(lines)


def aims(stored: dict[str, Any]) -> str:
    """Say which steps are within the aims of time and memory, and which are not.

    The exponent is held against the aim with all its digits, of which the table shows two.
    """
    found = steps(stored)
    powers = {name: exponent(took) for name, took in found.items()}
    peaks = {
        name: max(known)
        for name, took in found.items()
        if (known := [one["peak_mb"] for one in took if one["peak_mb"] is not None])
    }
    time = {name: f"{power:.2f}" for name, power in powers.items() if power is not None}
    slow = {name for name, power in powers.items() if power is not None and power > LIMIT_EXPONENT}
    memory = {name: f"{peak:,} MB" for name, peak in peaks.items()}
    large = {name for name, peak in peaks.items() if peak > LIMIT_MB}
    unknown = [TITLES[name] for name, power in powers.items() if power is None]
    lines = [
        f"- Processor time, exponent at most {LIMIT_EXPONENT}: {_parted(time, slow)}",
        f"- Memory, at most {LIMIT_MB:,} MB: {_parted(memory, large)}",
    ]
    if unknown:
        lines[0] += f" Without an exponent: {'; '.join(unknown)}."
    return "\n".join(lines)


def _parted(shown: dict[str, str], outside: set[str]) -> str:
    """Return steps with their numbers, those within an aim and those outside it."""
    parts = (
        ("within", [name for name in shown if name not in outside]),
        ("**not within**", [name for name in shown if name in outside]),
    )
    return " ".join(
        f"{words}: {'; '.join(f'{TITLES[name]} ({shown[name]})' for name in names) or 'none'}."
        for words, names in parts
    )


def pages(stored: dict[str, Any]) -> str:
    """Return how large pages are and how long a browser takes to open them."""
    shown = [one for one in stored["took"] if "page_kb" in one]
    lines = ["| page of | patients | size, kB | opened in Chromium, s |", "|---|---:|---:|---:|"]
    for one in shown:
        opened = f"{one['opened_s']:.1f}" if one.get("opened_s") is not None else "not opened"
        lines.append(f"| {TITLES[one['step']]} | {one['n']:,} | {one['page_kb']:,} | {opened} |")
    return "\n".join(lines)


def missing(stored: dict[str, Any]) -> str:
    """Say which sizes were not measured."""
    found = steps(stored)
    lacks = [
        f"{TITLES[name]} at {n:,}"
        for name in ("measure", "run", "predict")
        for n in stored["sizes"]
        if n not in {one["n"] for one in found.get(name, ())}
    ]
    return f"**Not measured**: {'; '.join(lacks)}." if lacks else "Everything was measured."


def when(stored: dict[str, Any]) -> str:
    """Return when, where and of which code."""
    made = stored["took"]
    joined = {key: ", ".join(sorted({one[key] for one in made})) for key in ("date", "commit")}
    machines = "; ".join(sorted({one["machine"] for one in made}))
    return (
        f"Measured on {joined['date']} with the code of commit {joined['commit']}; {machines}, "
        f"busy with other programs (load {min(one['load_before'] for one in made):.0f} to "
        f"{max(one['load_before'] for one in made):.0f}), so times are the processor's."
    )


def page(stored: dict[str, Any]) -> str:
    """Return the page."""
    return TEXT.format(
        table=table(stored), aims=aims(stored), pages=pages(stored), missing=missing(stored),
        when=when(stored),
    )  # fmt: skip


TEXT = """# From a hundred patients to thousands

<!-- Made by python benchmarks/scaling_page.py; change that, not this. -->

Twelve-lead ECGs of ten seconds, each in a WFDB file (200 simulated patients, each repeated with
another gain and noise), are read by the plugin. The aims: memory within 2 GB, and processor time in
proportion to the number of patients (exponent at most 1.05 between the two largest sizes).
Recordings and features stay on disk; only ids, flags and answers, some 50 kB per patient, grow in
memory.

<!-- slow -->
```sh
python benchmarks/scaling.py --out scaling --store
```

![Processor time and memory against the number of patients](images/scaling.svg)

{table}

Aims met:

{aims}

Memory is the sum over the command and its processes, including loaded libraries (torch takes 0.4
GB), with `--executor local:1` and one thread. The whole run includes its fits: a forest's trees
grow with the patients, in memory and faster than linearly in time. At 20,000 patients the study
omits the forest, so the whole run has no exponent.

{missing}

## Pages

{pages}

Pages hold summaries; lists by patient are in the CSV files.

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
