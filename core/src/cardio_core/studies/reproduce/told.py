"""What became of the numbers of a run that was made again, as a short page of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SHOWN = 20

_VERDICT = {
    "equal": "Every number is equal, to the last digit.",
    "within rounding": "Every number is equal or within rounding.",
    "differs": "Numbers differ.",
}


def told(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the page.

    Parameters
    ----------
    answer : mapping
        As `reproduce.json` holds it.
    """
    yield f"{answer['run']}, made again as {answer['again']}: {_VERDICT[answer['verdict']]}"
    yield ""
    yield f"{'':<18}{'numbers':>9}{'equal':>9}{'within rounding':>17}{'differ':>9}  largest apart"
    for one in answer["numbers"]:
        largest = f"{one['largest']:.1e}" if one["largest"] else "-"
        yield (
            f"{one['file']:<18}{one['n']:>9}{one['equal']:>9}{one['within']:>17}"
            f"{one['differ']:>9}  {largest}"
        )
    yield ""
    yield (
        f"Within rounding: apart by at most {answer['tolerance']:.0e} of the number, or of 1 where "
        "the number is smaller."
    )
    yield from _others(answer)
    yield from _why(answer)


def _others(answer: Mapping[str, Any]) -> Iterator[str]:
    for one in answer["numbers"]:
        if not one["others"]:
            continue
        yield ""
        yield f"In {one['file']} (then, now):"
        for other in one["others"][:_SHOWN]:
            yield f"  {other['where']}: {_said(other['then'])}, {_said(other['now'])}"
        if one["differ"] > _SHOWN:
            yield f"  and {one['differ'] - _SHOWN} more; reproduce.json lists up to a thousand"


def _why(answer: Mapping[str, Any]) -> Iterator[str]:
    found = answer["differs_from_then"]
    yield ""
    if not found and answer["verdict"] != "differs":
        yield "Data, settings, code, packages, device and machine are those of then."
        return
    if not found:
        yield (
            "Nothing that a manifest keeps differs: data, settings, code, packages, device and "
            "machine are those of then. The computation itself is not the same twice."
        )
        return
    yield "Differs from then:" if answer["verdict"] == "equal" else "Why, or what else differs:"
    for one in found:
        yield f"  {one['words']}"
    if answer["to_install"]:
        yield "To have what it was made with:"
        yield from (f"  {line}" for line in answer["to_install"])


def _said(value: Any) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else f"{value:.10g}"
