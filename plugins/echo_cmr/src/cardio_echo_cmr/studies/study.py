"""Echo studies as `load` finds them: their clips, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cardio_core.api import DataError
from cardio_ultrasound import Loop, LoopFacts, ids_of_loops, nameless, read_loop, sidecar_of

TEXTS = ("subject_link", "site_id", "scanner_id", "timepoint")
MEASURES = ("lvef_pct", "age_y", "sex_male")


@dataclass(frozen=True)
class Clip:
    """One recording of a study.

    Attributes
    ----------
    path : Path
        The loop.
    view : str
        ``a4c``, ``a2c``, ``plax`` or ``other``, as the table names it; empty where nobody did.
    stated : LoopFacts
        What is stated of it beside its file.
    """

    path: Path
    view: str = ""
    stated: LoopFacts = field(default_factory=LoopFacts)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Everything that decides what is made of the clip."""
        beside = sidecar_of(self.path)
        return (self.path, beside) if beside.is_file() else (self.path,)


@dataclass(frozen=True)
class EchoStudy:
    """One echocardiogram, with the CMR that its row of the cohort table tells of.

    Attributes
    ----------
    study_id, patient_id : str
        Empty where nothing names them: such studies are numbered.
    clips : tuple of Clip
        In the order of the table's columns.
    texts : dict of str to str or None
        Of `TEXTS`.
    measures : dict of str to float
        Of `MEASURES`: LVEF in %, age in years, 1 for men and 0 for women; NaN where unknown.
    days_to_cmr : float or None
        From echo to CMR in days; NaN where the table does not say, None where it has no such
        column or there is no table.
    """

    study_id: str
    patient_id: str
    clips: tuple[Clip, ...]
    texts: dict[str, str | None] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    days_to_cmr: float | None = None

    @property
    def person(self) -> str:
        """Whoever several ids of one person stand for."""
        return self.texts.get("subject_link") or self.patient_id

    @property
    def recording_ids(self) -> tuple[str, ...]:
        """One id a clip, made of the study's.

        Names of files can hold the names of people, and the view would tell the label.
        """
        return ids_of_loops(self.study_id, len(self.clips))


def open_clip(clip: Clip) -> Loop:
    """Open a clip; no frame but a few is decoded.

    Raises
    ------
    DataError
        It cannot be used. The reason goes to the run's outputs and does not name the file.
    """
    try:
        return read_loop(
            clip.path,
            frame_rate_hz=clip.stated.frame_rate_hz,
            mm_per_pixel=clip.stated.mm_per_pixel,
        )
    except DataError as error:
        raise DataError(nameless(str(error), *clip.paths), code=error.code) from None


def samples_table(studies: list[EchoStudy], *, with_views: bool, unnamed: str = "") -> pd.DataFrame:
    """Return one row a clip, indexed by `sample_id`, which is the recording's.

    Parameters
    ----------
    studies : list of EchoStudy
        With their ids.
    with_views : bool
        Whether `view_given` holds the table's view; else it is empty.
    unnamed : str
        What it then holds for a clip whose view the table does not name: nothing, so that the view
        is predicted, or that it stays unknown.

    Returns
    -------
    DataFrame
        Columns recording_id, study_id, patient_id, those of `TEXTS`, view_given, and those of
        `MEASURES`.
    """
    rows = [
        {"recording_id": name, "study_id": study.study_id, "patient_id": study.patient_id}
        | {text: study.texts.get(text) for text in TEXTS}
        | {"view_given": (clip.view or unnamed) if with_views else ""}
        | {measure: study.measures.get(measure, float("nan")) for measure in MEASURES}
        for study in studies
        for name, clip in zip(study.recording_ids, study.clips, strict=True)
    ]
    columns = ["recording_id", "study_id", "patient_id", *TEXTS, "view_given", *MEASURES]
    table = pd.DataFrame(rows, columns=columns)
    table.index = pd.Index(table["recording_id"], name="sample_id")
    return table.astype(dict.fromkeys(MEASURES, float))
