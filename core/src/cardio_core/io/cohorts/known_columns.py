"""The columns that have a meaning in every cohort table, with their words.

Those of recordings are the plugins' own: `PluginInfo.paths` names them.
"""

from __future__ import annotations

from collections.abc import Iterable

from cardio_core.io.cohorts.column import ColumnSpec, Use

N_SEGMENTS = 17
"""Segments of the left ventricle in the AHA model, numbered 01 to 17."""

_TIMES: tuple[tuple[str, str, Use], ...] = (
    ("bl", "at baseline", "patient"),
    ("fu", "at follow-up", "follow-up"),
)
_SEXES = {"male": "M", "man": "M", "female": "F", "woman": "F"}


def known_columns() -> Iterable[ColumnSpec]:
    """Yield every column that a stage of cardio may read, in the order of the documentation."""
    for part in (_identity, _response, _person, _ecg, _history, _imaging):
        yield from part()


def columns_of_patients() -> Iterable[ColumnSpec]:
    """Yield what is known of patients when they are recorded, in the order of a Table 1."""
    for part in (_person, _history, _response, _ecg, _imaging):
        yield from (column for column in part() if column.use == "patient")


def columns_of_persons() -> Iterable[ColumnSpec]:
    """Yield what is known of a person whatever is recorded: age, sex, history and drugs."""
    for part in (_person, _history):
        yield from part()


def _identity() -> Iterable[ColumnSpec]:
    yield ColumnSpec(
        "patient_id", "text", "The patient, by whom everything is grouped.", required=True,
        title="Patient", use="identity", example="P001",
    )  # fmt: skip
    yield ColumnSpec(
        "subject_link", "text",
        "A token that all ids of one person share; linked ids never straddle a split.",
        title="Person", use="identity", example="",
    )  # fmt: skip
    yield ColumnSpec(
        "study_id", "text", "The study, unique in the table; running numbers if NA.",
        title="Study", use="identity", example="P001-1",
    )  # fmt: skip
    yield ColumnSpec(
        "site_id", "text", "The hospital, for leave-one-site-out.",
        title="Hospital", use="identity", example="A",
    )  # fmt: skip
    yield ColumnSpec(
        "scanner_id", "text", "The scanner within the site.",
        title="Scanner", use="identity", example="1",
    )  # fmt: skip
    yield ColumnSpec(
        "timepoint", "text", "When in the protocol: baseline, follow-up, ...",
        title="Time point", use="identity", example="baseline",
    )  # fmt: skip
    yield ColumnSpec(
        "study_date", "date", "Date of the study, shifted, never the true one.",
        title="Study date", use="identity", example="2024-03-01",
    )  # fmt: skip
    yield ColumnSpec(
        "days_from_implant", "count", "From implantation to this study; before is negative.",
        "days", title="Days from implantation", use="identity", example="-14",
    )  # fmt: skip
    yield ColumnSpec(
        "days_echo_to_cmr", "count",
        "From the echocardiogram to the CMR; pairs lie at most 30 days apart.", "days",
        title="Days from echocardiogram to CMR", use="identity", example="3",
    )  # fmt: skip


def _response() -> Iterable[ColumnSpec]:
    methods = ("echo_biplane", "echo_mod_simpson", "spect", "cmr")
    volumes = (
        ("lvesv", "end-systolic", ("150", "120")),
        ("lvedv", "end-diastolic", ("210", "190")),
    )
    for short, words, examples in volumes:
        for (suffix, when, use), example in zip(_TIMES, examples, strict=True):
            yield ColumnSpec(
                f"{short}_{suffix}_ml", "number", f"Left-ventricular {words} volume {when}.", "mL",
                low=0, title=f"LV {words} volume{_later(use)}", use=use, example=example,
            )  # fmt: skip
    for (suffix, when, use), example in zip(_TIMES, ("28", "37"), strict=True):
        yield ColumnSpec(
            f"lvef_{suffix}_pct", "number", f"Left-ventricular ejection fraction {when}.", "%",
            low=0, high=100, title=f"LV ejection fraction{_later(use)}", use=use, example=example,
        )  # fmt: skip
    yield ColumnSpec(
        "vol_method", "code", "Method of volumes and ejection fractions.", allowed=methods,
        title="Method of volumes", use="method", example="echo_biplane",
    )  # fmt: skip
    # Response needs one method at both times, and a follow-up inside its window. A row holds both
    # times, so what differs at follow-up needs columns of its own.
    yield ColumnSpec(
        "vol_method_fu", "code", "Method at follow-up; NA if it is vol_method.", allowed=methods,
        title="Method of volumes at follow-up", use="follow-up", example="",
    )  # fmt: skip
    yield ColumnSpec(
        "days_to_followup", "count", "From implantation to the follow-up values of this row.",
        "days", low=0, title="Days to follow-up", use="follow-up", example="182",
    )  # fmt: skip
    for (suffix, when, use), grade, score in zip(_TIMES, ("3", "2"), ("45", "30"), strict=True):
        yield ColumnSpec(
            f"nyha_{suffix}", "count", f"NYHA class {when}.", low=1, high=4,
            title=f"NYHA class{_later(use)}", use=use, example=grade,
        )  # fmt: skip
        yield ColumnSpec(
            f"mlhfq_{suffix}", "number",
            f"Minnesota Living with Heart Failure score {when}; more is worse.", "points",
            low=0, high=105, title=f"Minnesota Living with Heart Failure score{_later(use)}",
            use=use, example=score,
        )  # fmt: skip
    yield ColumnSpec(
        "followup_status", "code", "What happened before the follow-up visit.",
        allowed=("complete", "died", "transplant", "lost"),
        title="Follow-up", use="follow-up", example="complete",
    )  # fmt: skip


def _later(use: str) -> str:
    return " at follow-up" if use == "follow-up" else ""


def _person() -> Iterable[ColumnSpec]:
    yield ColumnSpec(
        "age_y", "number", "Age at the study.", "years", low=0, high=130, title="Age", example="67"
    )
    yield ColumnSpec(
        "sex", "code", "M male, F female.", allowed=("M", "F"), title="Male sex", example="F",
        aliases=_SEXES,
    )  # fmt: skip
    yield ColumnSpec(
        "height_cm", "number", "Body height.", "cm", low=0, high=300, title="Body height",
        example="171",
    )  # fmt: skip
    yield ColumnSpec(
        "weight_kg", "number", "Body weight.", "kg", low=0, high=700, title="Body weight",
        example="78",
    )  # fmt: skip
    yield ColumnSpec(
        "bmi", "number", "Body mass index.", "kg/m²", low=0, high=300, title="Body mass index",
        example="26.7",
    )  # fmt: skip
    yield ColumnSpec(
        "race_ethnicity", "text", "As the cohort records it, for audits.",
        title="Race or ethnicity", example="",
    )  # fmt: skip
    yield ColumnSpec(
        "gls_pct", "number", "Global longitudinal strain.", "%", low=-100, high=100,
        title="Global longitudinal strain", example="-11",
    )  # fmt: skip


def _ecg() -> Iterable[ColumnSpec]:
    yield ColumnSpec(
        "qrs_ms", "number", "QRS duration.", "ms", low=0, high=1000, title="QRS duration",
        example="158",
    )  # fmt: skip
    yield ColumnSpec(
        "qrs_morph", "code", "QRS morphology.",
        allowed=("LBBB", "RBBB", "IVCD", "paced", "narrow"), title="QRS morphology",
        example="LBBB",
    )  # fmt: skip
    yield ColumnSpec(
        "lbbb_criterion", "code", "Whose definition of LBBB was used.",
        allowed=("ESC", "AHA", "MADIT", "Strauss"), title="Definition of LBBB", use="method",
        example="ESC",
    )  # fmt: skip
    yield ColumnSpec("rhythm", "text", "Rhythm at the study.", title="Rhythm", example="sinus")
    yield ColumnSpec(
        "hr_bpm", "number", "Heart rate.", "1/min", low=0, high=500, title="Heart rate",
        example="68",
    )  # fmt: skip


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
        yield ColumnSpec(
            name, "flag", f"{sentence} 1 yes, 0 no; NA is not 0.",
            title=sentence.removesuffix("."), example="0",
        )  # fmt: skip


def _imaging() -> Iterable[ColumnSpec]:
    spect = (
        ("lvedv_spect_ml", "End-diastolic volume by SPECT", "mL", None, "198"),
        ("lvesv_spect_ml", "End-systolic volume by SPECT", "mL", None, "139"),
        ("lvef_spect_pct", "Ejection fraction by SPECT", "%", 100, "30"),
    )
    numbers = (
        ("scar_pct", "Scar share of the left ventricle", "%", 100, "12"),
        ("psd_deg", "Phase standard deviation", "°", 360, "42"),
        ("pbw_deg", "Phase bandwidth", "°", 360, "150"),
        *spect,
    )
    for name, words, unit, high, example in numbers:
        yield ColumnSpec(
            name, "number", f"{words}.", unit, low=0, high=high, title=words, example=example
        )
    findings = (("wma", "Wall motion abnormality"), ("lge", "Late gadolinium enhancement"))
    for short, words in findings:
        for segment in range(1, N_SEGMENTS + 1):
            sentence = f"{words} in segment {segment} of the AHA model. 1 yes, 0 no."
            yield ColumnSpec(
                f"{short}_seg_{segment:02d}", "flag", sentence, use="reference", example="0",
                title=f"{words}, segment {segment}",
            )  # fmt: skip
    mapping = (
        ("t1_ms", "Native myocardial T1", "ms", None, "1020"),
        ("t2_ms", "Myocardial T2", "ms", None, "50"),
        ("ecv_pct", "Extracellular volume fraction", "%", 100, "27"),
    )
    for name, words, unit, high, example in mapping:
        yield ColumnSpec(
            name, "number", f"{words}.", unit, low=0, high=high, title=words, use="reference",
            example=example,
        )  # fmt: skip
    yield ColumnSpec(
        "field_T", "number", "Field strength of the magnet.", "T", low=0, high=20,
        title="Field strength", use="method", example="1.5",
    )  # fmt: skip
    yield ColumnSpec(
        "scanner_vendor", "text", "Maker of the scanner.", title="Maker of the scanner",
        use="method", example="",
    )  # fmt: skip
    yield ColumnSpec(
        "sf_label", "flag", "Septal flash seen by the reader. 1 yes, 0 no.", use="reference",
        title="Septal flash seen by the reader", example="1",
    )  # fmt: skip
    yield ColumnSpec(
        "mvc_ms", "number", "Mitral valve closure after the R peak.", "ms", use="method",
        title="Mitral valve closure after the R peak", example="45",
    )  # fmt: skip
    yield ColumnSpec(
        "avo_ms", "number", "Aortic valve opening after the R peak.", "ms", use="method",
        title="Aortic valve opening after the R peak", example="120",
    )  # fmt: skip
