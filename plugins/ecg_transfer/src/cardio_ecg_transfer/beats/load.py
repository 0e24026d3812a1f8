"""Load for `aami_beats`: recordings, and the annotations beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.api import Cohort, Context, DataError, Targets
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.readers.mitbih import AAMI_OF_SYMBOL, PACED
from cardio_ecg_transfer.shared.config import RecordingsBlock
from cardio_ecg_transfer.shared.recordings import (
    EXCLUDED,
    files_of,
    new_recordings,
    opening,
    recordings_under,
    without_excluded,
)


def load(config: RecordingsBlock, ctx: Context) -> Cohort:
    """Find the recordings under the context's inputs and, in fit mode, their beats.

    See `shared.recordings.recordings_under` for what an input may be.
    """
    if ctx.mode == "predict":
        return new_recordings(config, ctx)
    recordings, dropped = without_excluded(recordings_under(ctx.inputs), config)
    usable, events, stretches = [], [], []
    for place, (name, path) in enumerate(recordings[["recording_id", "path"]].to_numpy()):
        with ctx.reading(name, *files_of(path)):
            _check_annotated(path, config)
            beats, stretch = beat_events(path, name, config.max_s)
            usable.append(place)
            events.append(beats)
            stretches.append(stretch)
    samples, files = opening(recordings.iloc[usable], config)
    if EXCLUDED in dropped and set(dropped[EXCLUDED]) <= set(PACED):
        dropped["paced beats, as EC57 says"] = dropped.pop(EXCLUDED)
    return Cohort(
        samples,
        files,
        Targets("event", _joined(events), _joined(stretches)),
        excluded=dropped,
    )


def beat_events(
    path: Path, recording_id: str, max_s: float | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a record's beats with their AAMI class, and the stretches of ventricular flutter.

    Parameters
    ----------
    path : Path
        The record's header.
    recording_id : str
        Its id in the run.
    max_s : float, optional
        Events after this time are left out, in seconds.

    Returns
    -------
    beats : DataFrame
        Columns recording_id, time_s, aami_class.
    excluded : DataFrame
        Columns recording_id, start_s, end_s: from ``[`` to ``]``, in which EC57 scores no beat.

    Raises
    ------
    DataError
        If there are no annotations beside the record.
    """
    import wfdb

    from cardio_ecg_transfer.readers.wfdb_record import read_annotations

    samples, symbols = read_annotations(path)
    times = samples / float(wfdb.rdheader(str(path.with_suffix(""))).fs)
    inside = times <= (max_s or np.inf)
    names = np.array([AAMI_OF_SYMBOL.get(symbol) for symbol in symbols], dtype=object)
    beat = np.array([name is not None for name in names]) & inside
    marks = np.asarray(symbols, dtype=object)
    starts, ends = times[marks == "["], times[marks == "]"]
    ends = np.append(ends, np.full(max(0, len(starts) - len(ends)), np.inf))
    return (
        pd.DataFrame(
            {"recording_id": recording_id, "time_s": times[beat], "aami_class": names[beat]}
        ),
        pd.DataFrame(
            {"recording_id": recording_id, "start_s": starts, "end_s": ends[: len(starts)]}
        ),
    )


def _check_annotated(path: Path, config: RecordingsBlock) -> None:
    """Raise if a recording has no beat annotations; a damaged one with what is wrong with it."""
    if path.with_suffix(".atr").is_file():
        return
    read_ecg(path, min_duration_s=config.min_s)
    raise DataError(
        f"{path.name}: expected beat annotations ({path.stem}.atr) next to it, found none; "
        "a recording without them can be predicted, not trained on"
    )


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
