"""Per-case results of nnU-Net, which hold no outcome and no score."""

from __future__ import annotations

from pathlib import Path

from cardio_core.errors import DataError

_KEYS = ('"metric_per_case"', '"foreground_mean"')
_HEAD = 1_000_000
"""Characters that are looked at: the keys stand at both ends of a summary."""


def refuse_overlaps(path: Path) -> None:
    """Refuse nnU-Net's summary.json, and say what of it can be judged.

    Raises
    ------
    DataError
    """
    if path.suffix.lower() != ".json" or not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(_HEAD)
    if any(key in text for key in _KEYS):
        raise DataError(
            f"{path.name}: expected predictions beside an outcome, found nnU-Net's overlaps (Dice) "
            "of each case; its volumes can be judged: write a CSV with a row a case, n_ref of the "
            "reference and n_pred of the prediction, and take --outcome n_ref --score n_pred"
        )
