"""Echo studies: their clips, the CMR that belongs to them, and what is known of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cardio_core.api import Cohort, DataError, Targets, Task
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
        sidecar = sidecar_of(self.path)
        return (self.path, sidecar) if sidecar.is_file() else (self.path,)


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


NEARER = "another CMR is nearer to this echo"
UNDATED = "days between echo and CMR unknown"


@dataclass(frozen=True)
class Paired:
    """Studies whose CMR may speak for their echo, and why the others' may not.

    Attributes
    ----------
    kept : tuple of EchoStudy
        In the order given.
    left_out : dict of str to tuple of str
        Recordings by reason. Of an echo that stands in several rows they are counted once for
        each row that is left out.
    notes : tuple of str
        What the table leaves open.
    """

    kept: tuple[EchoStudy, ...]
    left_out: dict[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()


def pair_with_cmr(studies: Sequence[EchoStudy], max_days: int) -> Paired:
    """Keep for every echo the nearest CMR, if it is near enough.

    Rows of one person that name the same echo files pair one echo with several CMRs: the one with
    the fewest days between counts, before or after alike, and of two at equal distance the first
    row. It must lie within `max_days`, itself included. A table without `days_echo_to_cmr` is
    taken at its word that its pairs are pairs, and a note says so.

    Parameters
    ----------
    studies : sequence of EchoStudy
        Rows of the cohort table.
    max_days : int
        30 in the paper.

    Raises
    ------
    DataError
        Rows of one person share some of their clips only: nothing tells whether they are one echo.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cardio_echo_cmr.studies import Clip, EchoStudy
    >>> echo = (Clip(Path("a.dcm"), "a4c"),)
    >>> rows = [EchoStudy(name, "P1", echo, days_to_cmr=days) for name, days in
    ...         (("first", 12.0), ("second", -3.0))]
    >>> paired = pair_with_cmr(rows, 30)
    >>> [study.study_id for study in paired.kept], paired.left_out
    (['second'], {'another CMR is nearer to this echo': ('first',)})
    """
    owners: dict[tuple[str, str], EchoStudy] = {}
    nearest: set[str] = set()
    for study in sorted(studies, key=_distance):
        files = _files(study)
        of_others = [owners[file] for file in sorted(files & owners.keys())]
        for other in of_others:
            _require_same_clips(study, other)
        if not of_others:
            nearest.add(study.study_id)
            owners |= dict.fromkeys(files, study)
    far = f"more than {max_days} days between echo and CMR"
    reasons: dict[str, list[str]] = {}
    kept = []
    for study in studies:
        reason = _reason(study, max_days, far, is_nearest=study.study_id in nearest)
        if reason:
            reasons.setdefault(reason, []).extend(study.recording_ids)
        else:
            kept.append(study)
    return Paired(
        tuple(kept),
        {why: tuple(reasons[why]) for why in (NEARER, UNDATED, far) if why in reasons},
        _undated_notes(studies),
    )


def one_row_an_echo(studies: Sequence[EchoStudy]) -> Paired:
    """Keep every echo once, whatever its CMR: for what the echo alone tells, its view.

    Returns
    -------
    Paired
        Kept is the row that `pair_with_cmr` would keep, so that tasks agree on ids.
    """
    everyone = pair_with_cmr(studies, max_days=0)
    again = set(everyone.left_out.get(NEARER, ()))
    kept = tuple(study for study in studies if not again & set(study.recording_ids))
    return Paired(kept, {NEARER: tuple(everyone.left_out[NEARER])} if again else {})


def _files(study: EchoStudy) -> set[tuple[str, str]]:
    return {(study.person, str(clip.path)) for clip in study.clips}


def _require_same_clips(study: EchoStudy, other: EchoStudy) -> None:
    mine, theirs = _files(study), _files(other)
    if mine != theirs:
        first, second = sorted((study.study_id, other.study_id))
        raise DataError(
            f"studies {first!r} and {second!r}: expected rows of one person to name the same clips "
            f"or none in common, found that they share {len(mine & theirs)} of "
            f"{len(mine | theirs)} clips; give both rows the same clips, or each its own"
        )


def _distance(study: EchoStudy) -> float:
    days = study.days_to_cmr
    return math.inf if days is None or math.isnan(days) else abs(days)


def _reason(study: EchoStudy, max_days: int, far: str, *, is_nearest: bool) -> str | None:
    if not is_nearest:
        return NEARER
    if study.days_to_cmr is None:
        return None
    if math.isnan(study.days_to_cmr):
        return UNDATED
    return far if abs(study.days_to_cmr) > max_days else None


def _undated_notes(studies: Sequence[EchoStudy]) -> tuple[str, ...]:
    n = sum(study.days_to_cmr is None for study in studies)
    if not n:
        return ()
    return (
        f"{n} of {len(studies)} studies: the table has no column days_echo_to_cmr, so that their "
        "distance from the CMR is not checked.",
    )


HISTORY = ("htn", "dyslipidaemia", "dm")


def first_studies(cohort: Cohort, people: Mapping[str, str]) -> list[str]:
    """Return the first study of every person, in the cohort's order.

    Parameters
    ----------
    cohort : Cohort
    people : mapping of str to str
        The person behind a patient id, where it is another.
    """
    studies = cohort.samples.table.drop_duplicates("study_id")
    patients = studies["patient_id"].astype(str)
    one_each = ~patients.map(people).fillna(patients).duplicated()
    return studies.loc[one_each, "study_id"].astype(str).to_list()


def finding_flags(cohort: Cohort, targets: Targets, task: Task) -> pd.DataFrame:
    """Return findings and histories as 0, 1 and NA, one row a study of the cohort.

    Parameters
    ----------
    cohort : Cohort
    targets : Targets
        At unit study.
    task : Task
        Whose binary targets are findings.

    Returns
    -------
    DataFrame, indexed by study_id
        A column a binary target, and those of ``female``, ``htn``, ``dyslipidaemia`` and ``dm``
        that the cohort table knows.
    """
    studies = pd.Index(cohort.samples.table["study_id"].astype(str).unique(), name="study_id")
    found = pd.DataFrame(index=studies)
    for target in task.targets:
        if target.kind == "binary":
            truth = targets.table[target.name].reindex(studies)
            coded = truth.map({target.classes[0]: 0, target.classes[1]: 1})
            found[target.name] = coded.where(coded.notna(), pd.to_numeric(truth, errors="coerce"))
    if cohort.table is None:
        return found
    clinical = cohort.table[~cohort.table.index.duplicated()].reindex(studies)
    if "sex" in clinical.columns:
        found["female"] = clinical["sex"].map({"F": 1, "M": 0})
    for name in HISTORY:
        if name in clinical.columns:
            found[name] = pd.to_numeric(clinical[name], errors="coerce")
    return found
