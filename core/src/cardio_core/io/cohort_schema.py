"""The columns of a cohort table, as data: kind, unit, allowed values and one sentence each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "path", "number", "count", "flag", "code", "date"]

FREE_PREFIX = "x_"
"""Columns of a cohort's own that no stage reads start with this."""

N_SEGMENTS = 17
"""Segments of the left ventricle in the AHA model, numbered 01 to 17."""


@dataclass(frozen=True)
class ColumnSpec:
    """One column of the cohort table.

    `kind` says what a cell is: ``count`` a whole number, ``flag`` 0 or 1, ``code`` one of
    `allowed`, ``date`` YYYY-MM-DD, ``path`` a file, a folder or several of them with ``;`` between.
    `sentence` is what the column means; `unit` is empty where there is none; numbers outside of
    `low` and `high` are impossible, not merely unusual; where `required`, every row must have a
    value.
    """

    name: str
    kind: Kind
    sentence: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the JSON Schema of one value."""
        types = {"number": "number", "count": "integer", "flag": "integer"}
        base = types.get(self.kind, "string")
        schema: dict[str, Any] = {
            "type": base if self.required else [base, "null"],
            "description": self.sentence,
        }
        if self.kind == "flag":
            schema["enum"] = [0, 1, None]
        elif self.kind == "code":
            schema["enum"] = [*self.allowed, None]
        elif self.kind == "date":
            schema["format"] = "date"
        bounds = {"minimum": self.low, "maximum": self.high, "unit": self.unit or None}
        return schema | {key: value for key, value in bounds.items() if value is not None}


def _identity() -> Iterable[ColumnSpec]:
    yield ColumnSpec(
        "patient_id", "text", "The patient, by whom everything is grouped.", required=True
    )
    yield ColumnSpec(
        "subject_link",
        "text",
        "A token that all ids of one person share; linked ids never straddle a split.",
    )
    yield ColumnSpec("study_id", "text", "The study, unique in the table; running numbers if NA.")
    yield ColumnSpec("site_id", "text", "The hospital, for leave-one-site-out.")
    yield ColumnSpec("scanner_id", "text", "The scanner within the site.")
    yield ColumnSpec("timepoint", "text", "When in the protocol: baseline, follow-up, ...")
    yield ColumnSpec("study_date", "date", "Date of the study, shifted, never the true one.")
    yield ColumnSpec(
        "days_from_implant", "count", "From implantation to this study; before is negative.", "days"
    )
    yield ColumnSpec(
        "days_echo_to_cmr",
        "count",
        "From the echocardiogram to the CMR; pairs lie at most 30 days apart.",
        "days",
    )


def _paths() -> Iterable[ColumnSpec]:
    named = {
        "path_spect": "Gated SPECT study.",
        "path_ecg": "ECG recording.",
        "path_echo_a4c": "Apical four-chamber clips.",
        "path_echo_a2c": "Apical two-chamber clips.",
        "path_echo_plax": "Parasternal long-axis clips.",
        "path_echo_other": "Echo clips of other views.",
        "path_echo": "Echo clips whose view nobody named.",
        "path_polarmap_rest": "Polar map at rest.",
        "path_polarmap_stress": "Polar map at stress.",
        "path_polarmap_reserve": "Polar map of flow reserve.",
        "path_septum": "Septal points or contour.",
        "path_rpeaks": "R-peak times.",
    }
    for name, sentence in named.items():
        yield ColumnSpec(name, "path", sentence)


def _response() -> Iterable[ColumnSpec]:
    methods = ("echo_biplane", "echo_mod_simpson", "spect", "cmr")
    for short, words in (("lvesv", "end-systolic"), ("lvedv", "end-diastolic")):
        for suffix, when in (("bl", "at baseline"), ("fu", "at follow-up")):
            sentence = f"Left-ventricular {words} volume {when}."
            yield ColumnSpec(f"{short}_{suffix}_ml", "number", sentence, "mL", low=0)
    for suffix, when in (("bl", "at baseline"), ("fu", "at follow-up")):
        sentence = f"Left-ventricular ejection fraction {when}."
        yield ColumnSpec(f"lvef_{suffix}_pct", "number", sentence, "%", low=0, high=100)
    yield ColumnSpec(
        "vol_method", "code", "Method of volumes and ejection fractions.", allowed=methods
    )
    # Response needs one method at both times, and a follow-up inside its window. A row holds both
    # times, so what differs at follow-up needs columns of its own.
    yield ColumnSpec(
        "vol_method_fu", "code", "Method at follow-up; NA if it is vol_method.", allowed=methods
    )
    yield ColumnSpec(
        "days_to_followup",
        "count",
        "From implantation to the follow-up values of this row.",
        "days",
        low=0,
    )
    for suffix, when in (("bl", "at baseline"), ("fu", "at follow-up")):
        yield ColumnSpec(f"nyha_{suffix}", "count", f"NYHA class {when}.", low=1, high=4)
        yield ColumnSpec(
            f"mlhfq_{suffix}",
            "number",
            f"Minnesota Living with Heart Failure score {when}; more is worse.",
            "points",
            low=0,
            high=105,
        )
    yield ColumnSpec(
        "followup_status",
        "code",
        "What happened before the follow-up visit.",
        allowed=("complete", "died", "transplant", "lost"),
    )


def _person() -> Iterable[ColumnSpec]:
    yield ColumnSpec("age_y", "number", "Age at the study.", "years", low=0, high=130)
    yield ColumnSpec("sex", "code", "M male, F female.", allowed=("M", "F"))
    yield ColumnSpec("height_cm", "number", "Body height.", "cm", low=0, high=300)
    yield ColumnSpec("weight_kg", "number", "Body weight.", "kg", low=0, high=700)
    yield ColumnSpec("bmi", "number", "Body mass index.", "kg/m²", low=0, high=300)
    yield ColumnSpec("race_ethnicity", "text", "As the cohort records it, for audits.")
    yield ColumnSpec("gls_pct", "number", "Global longitudinal strain.", "%", low=-100, high=100)


def _ecg() -> Iterable[ColumnSpec]:
    yield ColumnSpec("qrs_ms", "number", "QRS duration.", "ms", low=0, high=1000)
    yield ColumnSpec(
        "qrs_morph", "code", "QRS morphology.", allowed=("LBBB", "RBBB", "IVCD", "paced", "narrow")
    )
    yield ColumnSpec(
        "lbbb_criterion",
        "code",
        "Whose definition of LBBB was used.",
        allowed=("ESC", "AHA", "MADIT", "Strauss"),
    )
    yield ColumnSpec("rhythm", "text", "Rhythm at the study.")
    yield ColumnSpec("hr_bpm", "number", "Heart rate.", "1/min", low=0, high=500)


def _history() -> Iterable[ColumnSpec]:
    named = {
        "cad": "Coronary artery disease.",
        "ischemic_aetiology": "Ischaemic cause of the heart failure.",
        "ckd": "Chronic kidney disease.",
        "dm": "Diabetes mellitus.",
        "htn": "Arterial hypertension.",
        "dyslipidaemia": "Dyslipidaemia.",
        "smoking": "Smoker.",
        "acei_arb": "ACE inhibitor or angiotensin receptor blocker.",
        "betablocker": "Beta blocker.",
        "spironolactone": "Spironolactone.",
        "digoxin": "Digoxin.",
        "diuretic": "Diuretic.",
    }
    for name, sentence in named.items():
        yield ColumnSpec(name, "flag", f"{sentence} 1 yes, 0 no; NA is not 0.")


def _imaging() -> Iterable[ColumnSpec]:
    yield ColumnSpec(
        "scar_pct", "number", "Scar share of the left ventricle.", "%", low=0, high=100
    )
    yield ColumnSpec("psd_deg", "number", "Phase standard deviation.", "°", low=0, high=360)
    yield ColumnSpec("pbw_deg", "number", "Phase bandwidth.", "°", low=0, high=360)
    yield ColumnSpec("lvedv_spect_ml", "number", "End-diastolic volume by SPECT.", "mL", low=0)
    yield ColumnSpec("lvesv_spect_ml", "number", "End-systolic volume by SPECT.", "mL", low=0)
    yield ColumnSpec(
        "lvef_spect_pct", "number", "Ejection fraction by SPECT.", "%", low=0, high=100
    )
    for short, words in (
        ("wma", "Wall motion abnormality"),
        ("lge", "Late gadolinium enhancement"),
    ):
        for segment in range(1, N_SEGMENTS + 1):
            sentence = f"{words} in segment {segment} of the AHA model. 1 yes, 0 no."
            yield ColumnSpec(f"{short}_seg_{segment:02d}", "flag", sentence)
    yield ColumnSpec("t1_ms", "number", "Native myocardial T1.", "ms", low=0)
    yield ColumnSpec("t2_ms", "number", "Myocardial T2.", "ms", low=0)
    yield ColumnSpec("ecv_pct", "number", "Extracellular volume fraction.", "%", low=0, high=100)
    yield ColumnSpec("field_T", "number", "Field strength of the magnet.", "T", low=0, high=20)
    yield ColumnSpec("scanner_vendor", "text", "Maker of the scanner.")
    yield ColumnSpec("sf_label", "flag", "Septal flash seen by the reader. 1 yes, 0 no.")
    yield ColumnSpec("mvc_ms", "number", "Mitral valve closure after the R peak.", "ms")
    yield ColumnSpec("avo_ms", "number", "Aortic valve opening after the R peak.", "ms")


COLUMNS: dict[str, ColumnSpec] = {
    column.name: column
    for part in (_identity, _paths, _response, _person, _ecg, _history, _imaging)
    for column in part()
}
"""Every column that a cohort table may have, by name, in the order of the documentation."""


def cohort_schema_json() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one row of a cohort table.

    Examples
    --------
    >>> schema = cohort_schema_json()
    >>> schema["required"], schema["properties"]["lvesv_bl_ml"]["unit"]
    (['patient_id'], 'mL')
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cardio cohort table, one row a study",
        "type": "object",
        "required": [name for name, column in COLUMNS.items() if column.required],
        "properties": {name: column.to_json() for name, column in COLUMNS.items()},
        "patternProperties": {f"^{FREE_PREFIX}": {}},
        "additionalProperties": False,
    }
