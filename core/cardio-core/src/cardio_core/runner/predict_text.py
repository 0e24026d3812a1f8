"""What a person is told of new patients: a table in words, made of the answer for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cardio_core.runner.answers import texts_of_patients
from cardio_core.types.redaction import without_names
from cardio_stats.words import METRICS, counted, level_words, number

_YES = frozenset({"yes", "1", "true", "positive", "present"})


def prediction_lines(
    answer: Mapping[str, Any], inputs: Sequence[Path], *, all_models: bool
) -> list[str]:
    """Return the lines that `cardio predict` prints.

    Parameters
    ----------
    answer : mapping
        As `predict_new` returns it.
    inputs : sequence of Path
        What was given: names of files are taken out of reasons, since they can hold names of
        people.
    all_models : bool
        Whether the models behind the primary one answer, too.
    """
    rows = answer["predictions"]
    models: Mapping[str, str] = answer["models"]
    primary = answer["primary"]
    shown = [primary, *(name for name in models if name != primary)] if all_models else [primary]
    lines = [f"{answer['title']}."]
    withheld = answer["decisions_withheld"]
    if withheld:
        lines.append(
            "No decision: the models were trained on synthetic recordings alone, and these "
            "recordings are real. Probabilities say nothing about a patient."
        )
    elif answer["synthetic_training"]:
        lines.append("The models were trained on synthetic recordings; this is a trial.")
    for name in shown:
        for target in answer["targets"]:
            own = [r for r in rows if r["model"] == name and r["target"] == target["name"]]
            if own:
                about = ["primary model"] if name == primary else []
                about += [_words(target["name"])] if len(answer["targets"]) > 1 else []
                text = f" ({', '.join(about)})" if about else ""
                lines += [
                    "",
                    f"{models[name]}{text}",
                    *_table(own, target, withheld),
                    *_sets_mean(own, target),
                    *_worth(answer, name, target["name"]),
                ]
    answered = {row["model"] for row in rows if not row["no_verdict"]}
    others = [name for name in models if name not in shown and name in answered]
    if others:
        lines += ["", f"Other models answered, too ({len(others)}): --all-models shows them."]
    if rows:
        own = texts_of_patients(answer.get("applicability", ()))
        lines += ["", *own] if own else []
    lines += _flagged(answer["flags"])
    files = [file for path in inputs for file in (path, *_inside(path))]
    lines += _set_aside(answer["quarantined"], files)
    notes = [note for note in (*answer["notes"], answer.get("files_summed", "")) if note]
    return [*lines, *([""] if notes else []), *notes]


def _worth(answer: Mapping[str, Any], model: str, target: str) -> list[str]:
    """Say how well a model did in the evaluation of its run."""
    for item in answer["worth"]:
        if (item["model"], item["target"]) == (model, target):
            break
    else:
        return ["How well this model does is not stored with it; see the report of its run."]
    metric = METRICS.get(item["metric"], item["metric"])
    limits = ""
    if item["low"] is not None and item["high"] is not None:
        low, high = (number(item[key], like=item["value"]) for key in ("low", "high"))
        limits = f" ({level_words(item['level'])} interval {low} to {high})"
    kind = "synthetic " if answer["synthetic_training"] else ""
    whom = counted(item["n"] or 0, f"{kind}{item['unit'] or 'patient'}")
    how = "held out from training" if item["protocol"] == "honest" else "under the paper protocol"
    text = f"Evaluated on {whom} {how}: {metric} {number(item['value'])}{limits}."
    if item["better_than_chance"] is False:
        text += " That is no better than chance: the interval reaches 0.5."
    return [text]


def _table(
    rows: Sequence[Mapping[str, Any]], target: Mapping[str, Any], withheld: bool
) -> list[str]:
    if withheld and rows[0]["level"] == "sample" and target["kind"] != "continuous":
        return [f"{counted(len(rows), 'sample')} scored; --json has the scores."]
    if rows[0]["level"] == "sample" and target["kind"] != "continuous":
        return _aligned(list(_by_recording(rows)))
    level = rows[0]["level"]
    same = all(row["patient_id"] == row["id"] for row in rows)
    single = all(row.get("n_recordings", 1) < 2 for row in rows)
    head = [level.capitalize(), *([] if same else ["Patient"])]
    head += [*([] if single else ["Recordings"]), *_heads(rows[0], target, withheld)]
    body = [
        [
            str(row["id"]),
            *([] if same else [str(row["patient_id"])]),
            *([] if single else [_stands_on(row, target)]),
            *_cells(row, target, withheld),
        ]
        for row in rows
    ]
    return _aligned([head, *body])


def _sets_mean(rows: Sequence[Mapping[str, Any]], target: Mapping[str, Any]) -> list[str]:
    """Say what the sets of a table promise, and which classes they never leave out."""
    if rows[0]["level"] == "sample" or "set_by_class" not in rows[0]:
        return []
    level, always = rows[0]["set_level"], rows[0]["set_always"]
    of = "of the patients of each class" if rows[0]["set_by_class"] else "of all patients together"
    text = f"{100 * level:.0f} % certain: calibrated to hold the truth in {100 * level:.0f} % {of}."
    if always:
        named = " and ".join(f"“{answer_of(name, target)}”" for name in always)
        text += f" {named} is never ruled out: too few patients with it were calibrated on."
    return [text]


def _stands_on(row: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    """Return on how many recordings an answer stands, and how far their own scores lie apart."""
    n, limits = row.get("n_recordings", 1), row.get("range")
    if limits is None or row["no_verdict"]:
        return str(n)
    if target["kind"] == "continuous":
        return f"{n} ({limits[0]:.4g} to {limits[1]:.4g})"
    return f"{n} ({100 * limits[0]:.0f} to {100 * limits[1]:.0f} %)"


def _heads(row: Mapping[str, Any], target: Mapping[str, Any], withheld: bool) -> list[str]:
    kind = target["kind"]
    if kind == "continuous":
        level = row.get("interval_level")
        unit = f" ({target['unit']})" if target["unit"] else ""
        interval = [f"{100 * level:.0f} % interval"] if level else []
        return [f"{_words(target['name'])}{unit}", *interval]
    level = row.get("set_level")
    held = [f"{100 * level:.0f} % certain"] if level else []
    if withheld:
        return [f"Probability of {positive_of(target)}"] if kind == "binary" else ["Probabilities"]
    if kind == "binary":
        return [f"Probability of {positive_of(target)}", "Answer", "Why", *held]
    return ["Most probable", "Probability", "Answer", *held]


def _cells(row: Mapping[str, Any], target: Mapping[str, Any], withheld: bool) -> list[str]:
    if row["no_verdict"]:
        return [f"no verdict: {row['no_verdict']}"]
    if target["kind"] == "continuous":
        limits = row.get("interval")
        text = f"{row['value']:.4g}"
        return [text, *([f"{limits[0]:.4g} to {limits[1]:.4g}"] if limits else [])]
    held = [_set_words(row["set"], target)] if "set" in row else []
    scores: Mapping[str, float] = row["scores"]
    if withheld and target["kind"] == "binary":
        return [f"{100 * scores[target['classes'][1]]:.0f} %"]
    if withheld:
        return [", ".join(f"{name} {100 * scores[name]:.0f} %" for name in target["classes"])]
    if target["kind"] == "binary":
        positive = target["classes"][1]
        answer = answer_of(row["decided"], target)
        probability, why = why_decided(scores[positive], row["threshold"], row["threshold_source"])
        return [probability, answer, why, *held]
    best = max(scores, key=lambda name: scores[name])
    # What is decided weighs the classes by what the inner folds chose, if they chose anything.
    why = "" if row["decided"] == best else " (classes weighted)"
    return [best, f"{100 * scores[best]:.0f} %", f"{row['decided']}{why}", *held]


def why_decided(probability: float, threshold: float | None, source: str | None) -> tuple[str, str]:
    """Return a probability as per cent, and why it leads to its answer.

    Where both round to the same number, both get another digit.

    Examples
    --------
    >>> why_decided(0.633, 0.7, "inner folds")
    ('63 %', 'below the threshold of 70 %, chosen on inner folds')
    >>> why_decided(0.633, 0.6312, "fixed: largest score")
    ('63.3 %', 'not below the threshold of 63.1 %, fixed beforehand')
    """
    if threshold is None:
        return f"{100 * probability:.0f} %", ""
    digits = 0
    while digits < 3 and f"{100 * probability:.{digits}f}" == f"{100 * threshold:.{digits}f}":
        digits += 1
    side = "below" if probability < threshold else "not below"
    where = {
        "inner folds": "chosen on inner folds",
        "fixed: largest score": "fixed beforehand",
    }.get(str(source), str(source))
    return (
        f"{100 * probability:.{digits}f} %",
        f"{side} the threshold of {100 * threshold:.{digits}f} %, {where}",
    )


def positive_of(target: Mapping[str, Any]) -> str:
    """Return what a binary target's second class is called in a sentence.

    Examples
    --------
    >>> positive_of({"name": "septal_flash", "classes": ["no", "yes"]})
    'septal flash'
    >>> positive_of({"name": "response", "classes": ["non-responder", "responder"]})
    'responder'
    """
    named = str(target["classes"][1])
    return _words(target["name"]).lower() if named.lower() in _YES else named


def answer_of(decided: Any, target: Mapping[str, Any]) -> str:
    """Return a decided class as an answer."""
    return {"0": "no", "1": "yes"}.get(str(decided), str(decided))


def _set_words(held: Sequence[str], target: Mapping[str, Any]) -> str:
    if not held:
        two = len(target["classes"]) == 2
        return "neither: between the two" if two else "none of them: none is probable enough"
    if len(held) == 1:
        return answer_of(held[0], target)
    if len(held) == len(target["classes"]):
        return "undecided"
    return f"undecided: {' or '.join(answer_of(name, target) for name in held)}"


def _by_recording(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield how many samples of each recording were called what: thousands of lines tell less."""
    yield ["Recording", "Samples", "Called"]
    by_recording: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_recording.setdefault(str(row["recording_id"]), []).append(row)
    for name, own in by_recording.items():
        judged = [str(row["decided"]) for row in own if not row["no_verdict"]]
        called = ", ".join(f"{what} {n}" for what, n in Counter(judged).most_common())
        yield [name, str(len(own)), called or f"no verdict: {own[0]['no_verdict']}"]


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Return rows with their columns below each other; a long last cell is never padded."""
    n = max(len(row) for row in table)
    widths = [
        max((len(row[i]) for row in table if len(row) > i and i < len(row) - 1), default=0)
        for i in range(n)
    ]
    return [
        "  ".join(
            cell if i == len(row) - 1 else cell.ljust(widths[i]) for i, cell in enumerate(row)
        ).rstrip()
        for row in table
    ]


def _flagged(flags: Mapping[str, Sequence[str]]) -> list[str]:
    """Say each flag once, with the recordings that carry it."""
    whose: dict[str, list[str]] = {}
    for recording, own in flags.items():
        for flag in own:
            whose.setdefault(flag, []).append(recording)
    lines = ["", "Flags:"] if whose else []
    for flag, recordings in whose.items():
        which = ", ".join(recordings[:8]) + (", ..." if len(recordings) > 8 else "")
        lines.append(f"  {flag} (recording {which})")
    return lines


def _set_aside(quarantined: Sequence[Mapping[str, Any]], files: Sequence[Path]) -> list[str]:
    lines = ["", "Not answered:"] if quarantined else []
    for row in quarantined:
        lines.append(f"  recording {row['recording_id']}: {without_names(row['reason'], files)}")
    return lines


def _inside(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else []


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
