"""The numbers of docs/demo_study.md, from what benchmarks/demo_study.py stored.

``python benchmarks/demo_study_page.py`` writes them between the page's marks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "demo_study.md"
STORED = ROOT / "docs" / "results" / "demo_study.json"
NAMES = {"ecg": "ECG", "spect": "SPECT", "echo": "Echo"}
SITES = {
    "north": "first site",
    "south": "second site, with the shift",
    "south_as_north": "the same people without the shift",
}


def number(value: float | None, signed: bool = False) -> str:
    """Return a number to two digits, without the 0 before the point.

    Examples
    --------
    >>> number(0.7812), number(-0.05, signed=True), number(None)
    ('.78', '−.05', '')
    """
    if value is None:
        return ""
    text = f"{abs(value):.2f}".removeprefix("0")
    sign = "−" if round(value, 2) < 0 else "+" if signed and round(value, 2) > 0 else ""
    return sign + text


def cell(found: dict[str, Any] | None, signed: bool = False) -> str:
    """Return an estimate with its limits, or "not run" where there is none."""
    if not found:
        return "not run"
    value = number(found["value"], signed)
    if "low" not in found:
        return value
    return f"{value} ({number(found['low'], signed)} to {number(found['high'], signed)})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    line = "|" + "---|" * len(head)
    return "\n".join([f"|{'|'.join(one)}|" for one in (head, *rows)]).replace(
        "\n", f"\n{line}\n", 1
    )


def _of(stored: dict[str, Any], place: str, measure: str, model: str = "") -> dict[str, Any] | None:
    found = stored["found"].get(place)
    if not found:
        return None
    return found["measures"].get(f"{measure} {model or found['primary']}")


def when(stored: dict[str, Any]) -> str:
    """Return when it was measured, of which code, and how busy the machine was."""
    made = stored["times"]
    days = sorted({one["date"] for one in made})
    commits = sorted({one["commit"] for one in made})
    load = [one["load_before"] for one in made]
    return (
        f"Run on {' and '.join(days)} (numbers taken on {stored['date']}) with the code of commit "
        f"{', '.join(commits)}; {stored['machine']}, {min(load):.0f} to {max(load):.0f} programs "
        "waiting for a core (load)."
    )


def patients(stored: dict[str, Any]) -> str:
    """Return who is at which site."""
    rows = [
        [words, str(one["n"]), str(one["responders"]), str(one["spect"]), str(one["echo"])]
        for site, words in SITES.items()
        for one in [stored["patients"][site]]
    ]
    head = ["patients", "n", "respond", "without SPECT", "without echo"]
    return _table(head, rows)


def modalities(stored: dict[str, Any]) -> str:
    """Return what each modality could tell and what was found at the first site."""
    best, here = stored["optimum"], stored["effect_in_these_patients"]["north"]
    rows = []
    for name, title in NAMES.items():
        place = f"run {name}"
        run = stored["found"].get(place) or {"titles": {"": "not run"}, "primary": ""}
        for model in sorted(run["titles"], key=lambda one, run=run: one != run["primary"]):
            found = _of(stored, place, "auc", model)
            first = model == run["primary"]
            if not found and not first:
                continue
            words = f"**{run['titles'][model]}**" if first else run["titles"][model]
            limits = [number(best[name]), number(here[name])] if first else ["", ""]
            rows.append([f"**{title}**" if first else "", words, *limits, *_n_and(found)])
    for model, title, optimum in (
        ("fusion", "ECG, SPECT and echo", "recordings"),
        ("mean_log_odds", "the same, an unweighted mean of log odds", "recordings"),
        ("fusion_clinical", "the same, age and sex", "all"),
        ("clinical", "age and sex", "clinical"),
    ):
        found = _of(stored, "fused", "auc", model)
        limits = [number(best[optimum]), number(here[optimum])]
        first = model == "fusion"
        rows.append(["**Fusion**" if first else "", title, *limits, *_n_and(found)])
    head = [
        "modality",
        "model",
        "optimum",
        "optimum in these patients",
        "AUC found (95 % CI)",
        "patients",
    ]
    return _table(head, rows)


def _n_and(found: dict[str, Any] | None) -> list[str]:
    return [cell(found), str(found["n"]) if found else ""]


def pairs(stored: dict[str, Any]) -> str:
    """Return the modalities against each other, and what the fusion adds to each."""
    rows = []
    for place, versus in (("compared", ""), ("fused", "fusion")):
        for key, found in (stored["found"].get(place) or {"measures": {}})["measures"].items():
            measure, _, pair = key.partition(" ")
            if measure == "auc_difference" and pair.startswith(versus):
                if versus and not re.match(r"fusion - ", pair):
                    continue
                p = f"{found['p_value']:.3f}".replace("0.", ".", 1) if "p_value" in found else ""
                p = "< .001" if p == ".000" else p
                words = _named(pair)
                rows.append([words, cell(found, signed=True), str(found["n"]), p])
    return _table(["difference of AUC", "95 % CI", "n", "p"], rows)


def _named(pair: str) -> str:
    one, _, other = pair.partition(" - ")
    said = {"fusion": "fusion", "fusion_clinical": "fusion with age and sex",
            "clinical": "age and sex", "mean_log_odds": "unweighted mean"}  # fmt: skip
    return f"{said.get(one, one)} − {said.get(other, other)}"


def second_site(stored: dict[str, Any]) -> str:
    """Return the external validation of each modality, with the shift and without."""
    rows = []
    best = stored["effect_in_these_patients"]["south"]
    for name, title in {**NAMES, "fused": "Fusion"}.items():
        for site in list(SITES)[1:]:
            place = f"{site} {name}"
            answered = stored["answered"].get(place)
            fused = name == "fused"
            area = answered["auc"] if fused and answered else _of(stored, place, "auc")
            measures = [
                cell(_of(stored, place, "auc_change"), signed=True),
                cell(_of(stored, place, "calibration_slope")),
                cell(_of(stored, place, "conformal_coverage")),
            ]
            rows.append(
                [
                    title,
                    "with" if site == "south" else "without",
                    number(best["recordings" if fused else name]),
                    cell(area),
                    *(["", "", ""] if fused else measures),
                    _unlike(answered),
                ]
            )
    head = ["modality", "shift", "optimum in these patients", "AUC", "change from the first site",
            "calibration slope", "covered by 90 % sets", "outside, borderline, of"]  # fmt: skip
    return _table(head, rows)


def _unlike(answered: dict[str, Any] | None) -> str:
    """Return how many patients are outside of the training and how many on its border."""
    found = (answered or {}).get("applicability")
    if not found:
        return ""
    return f"{found.get('outside', 0)}, {found.get('borderline', 0)}, {sum(found.values())}"


def times(stored: dict[str, Any]) -> str:
    """Return the time of each step."""
    steps = {"record": "recordings", "sheets": "three sheets", "run": "three runs",
             "compare": "`cardio compare`", "fuse": "`cardio fuse`",
             "external": "six `cardio evaluate`", "predict": "eight `cardio predict`"}  # fmt: skip
    took = {
        words: sum(one["processor_s"] for one in stored["times"] if one["step"] == step) / 60
        for step, words in steps.items()
    }
    parts = ", ".join(f"{words} {minutes:.1f}" for words, minutes in took.items() if minutes >= 0.1)
    return f"Processor time in minutes: {parts}; together {sum(took.values()):.0f}."


PARTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "when": when,
    "patients": patients,
    "modalities": modalities,
    "pairs": pairs,
    "second site": second_site,
    "times": times,
}


def rendered(text: str, stored: dict[str, Any]) -> str:
    """Return the page with its tables made anew.

    Raises
    ------
    ValueError
        The page lacks the marks of a table.
    """
    for name, make in PARTS.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(\n?<!-- end -->)", re.DOTALL)
        made = make(stored)
        text, n = marks.subn(lambda found, made=made: f"{found[1]}{made}\n<!-- end -->", text)
        if n != 1:
            raise ValueError(f"{PAGE.name}: expected one place for {name!r}, found {n}")
    return text


if __name__ == "__main__":
    numbers = json.loads(STORED.read_text(encoding="utf-8"))
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), numbers), encoding="utf-8")
