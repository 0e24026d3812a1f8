"""The page docs/results/no_signal.md, made of what is stored and of nothing else."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import norm

ROOT = Path(__file__).parents[2]

HEAD = """\
# Cohorts with no signal, and with a known one

<!-- Made by python tests/integration/no_signal.py page; change that, not this. -->

Half of the patients of each plugin's synthetic cohort get a coin at random. Nothing that is
recorded depends on it, so no model can exceed an AUC of 0.5. `paper` predicts the coin by the
published evaluation, `honest` never trains on a tested patient. Sizes are the smallest that show
the difference; these are no results of the methods.

<!-- slow -->
```sh
python tests/integration/no_signal.py
```

| plugin, task | model | draws | `paper`: mean AUC (range) | honest: mean AUC (range) |
|---|---|---:|---:|---:|
"""

UNDECLARED = {
    "echo_cmr": "the weights of the fused views are fitted on the patients that they are tested on"
}
"""Why a protocol leaks whose split plan itself shares no patient."""

WHY = """\
Bold: the model nearest to the published one. Why `paper` leaks:
"""

NOT_THERE = """\
A single honest draw may lie far from 0.5: few patients are tested. Settings are in
`tests/integration/stored/no_signal.json`.

## A known effect

Twenty synthetic cohorts each, honest protocol, 100 patients. *Covered*: the interval
holds the best possible AUC, which is known by construction; at least 17 are asked of a model that
can reach it. A model that learns from 100 patients lies below: its interval is right about the
model, not about the optimum.

| cohorts | model | best possible | mean AUC | mean half-width | covered |
|---|---|---:|---:|---:|---:|
"""

END = """
Not stored for spect_polar, mmode_septal_flash and echo_cmr.
"""

CHANCE_AND_TRUTH = Path("tests/integration/stored/chance_and_truth.json")
ECG = Path("plugins/ecg_transfer/tests/stored/chance_and_truth/crt-medium.json")


def page(stored: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page."""
    lines = [line for plugin, own in stored.items() for line in _lines(plugin, own)]
    why = [_why(plugin, own) for plugin, own in stored.items()]
    why += ["", *(_not_shown(plugin, own) for plugin, own in stored.items() if not shows(own))]
    known = [_known(*row) for row in known_effects()]
    return "\n".join(
        [HEAD + "\n".join(lines), "", WHY, *why, "", NOT_THERE + "\n".join(known), END]
    )


def shows(own: Mapping[str, Any]) -> bool:
    """Say whether the published protocol looks good on the model in bold."""
    return statistics.fmean(values_of(own["areas"], "paper", own["model"])) >= GOOD


def _not_shown(plugin: str, own: Mapping[str, Any]) -> str:
    paper = _shown(values_of(own["areas"], "paper", own["model"]))
    return (
        f"{plugin} does not show it at this size ({paper} under `paper`): its networks share no "
        "patient\nbetween training and test, only the weights of the fusion do."
    )


def values_of(areas: Sequence[Mapping[str, Any]], protocol: str, model: str) -> list[float]:
    """Return the AUC of each draw."""
    return [
        float(one["value"]) for one in areas if (one["protocol"], one["model"]) == (protocol, model)
    ]


def _lines(plugin: str, own: Mapping[str, Any]) -> list[str]:
    areas = own["areas"]
    titles = {one["model"]: one["title"] for one in areas}
    made = []
    for name in [own["model"], *(one for one in titles if one != own["model"])]:
        paper, honest = (_shown(values_of(areas, one, name)) for one in ("paper", "honest"))
        n = len(values_of(areas, "paper", name))
        if name == own["model"]:
            place = f"{plugin}, `{own['task']}`"
            made.append(f"|{place}|**{titles[name]}**|{n}|**{paper}**|**{honest}**|")
        else:
            made.append(f"| |{titles[name]}|{n}|{paper}|{honest}|")
    return made


def _shown(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _why(plugin: str, own: Mapping[str, Any]) -> str:
    return (
        f"- {plugin}: {own['declared'] or UNDECLARED[plugin]}. {own['n_patients']} patients, "
        f"{own['made']}, {own['commit']}."
    )


GOOD = 0.6
"""Mean AUC from which a coin looks like a finding."""
Runs = Sequence[Mapping[str, Any]]


def known_effects() -> list[tuple[str, str, float, Runs]]:
    """Return cohorts, model, best possible AUC and runs of the studies of twenty seeds."""
    read: Callable[[Path], Any] = lambda path: json.loads((ROOT / path).read_text())  # noqa: E731
    toy = read(CHANCE_AND_TRUTH)["runs"]
    found: list[tuple[str, str, float, Runs]] = [
        (f"toy, effect of {effect} SD", "ridge", float(norm.cdf(float(effect) / 2**0.5)), runs)
        for effect, runs in toy.items()
    ]
    ecg = read(ECG)["runs"]
    for model in dict.fromkeys(one["model"] for one in ecg):
        own = [one for one in ecg if one["model"] == model]
        best = statistics.fmean(one["bayes_auc"] for one in own)
        found.append(("ecg_transfer, `crt_response`, medium", model, best, own))
    return found


def covered(best: float, runs: Runs) -> int:
    """Return how many intervals hold the best possible AUC of their own cohort."""
    return sum(one["low"] <= one.get("bayes_auc", best) <= one["high"] for one in runs)


def _known(cohorts: str, model: str, best: float, runs: Runs) -> str:
    value = statistics.fmean(one["value"] for one in runs)
    half = statistics.fmean((one["high"] - one["low"]) / 2 for one in runs)
    covers = f"{covered(best, runs)} of {len(runs)}"
    return f"|{cohorts}|{model}|{best:.3f}|{value:.3f}|{half:.3f}|{covers}|"
