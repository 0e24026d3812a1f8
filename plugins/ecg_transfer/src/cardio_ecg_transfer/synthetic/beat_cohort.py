"""A folder like MIT-BIH's: two leads, 360 Hz, beat annotations, one man under two numbers.

The records bear MIT-BIH's numbers, so that de Chazal's lists divide them, and follow it where it
matters to a program: 102, 104, 107 and 217 are paced, 201 and 202 are one man, 102 and 104 have no
MLII, 114 has its leads exchanged. Everything else is made by code, and each header says so.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

import cardio_stats as stats
from cardio_core.api import write_truth
from cardio_ecg_transfer.readers.mitbih import DS1, DS2, PACED, SUBJECT_LINK
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.synthetic.patient import Mixing, Noise, PatientSpec, draw_anatomy
from cardio_ecg_transfer.synthetic.simulation import Truth, simulate
from cardio_ecg_transfer.synthetic.writers import write_wfdb

RATE_HZ = 360.0
DURATION_S = 60.0
N_PATIENTS = 48

MIXINGS = {
    "easy": Mixing(spread=0.1, intercept=-75.0, slope=100.0),
    "medium": Mixing(spread=0.5, intercept=-5.0, slope=8.0),
    "impossible": Mixing(spread=0.5, intercept=-2.5, slope=0.8),
}
"""How sharply λ decides between V and the rest: a Bayes AUC of about 1, .9 and .55."""

NULL_MIXING = Mixing(spread=0.1, intercept=-2.5, slope=0.0)
"""Labels V by chance alone: a Bayes AUC of exactly .5."""

_SECOND_LEAD = {
    **dict.fromkeys(("100", "114", "123"), "V5"),
    **dict.fromkeys(("102", "103", "104", "117"), "V2"),
    "124": "V4",
}
_WITHOUT_MLII = ("102", "104")
_EXCHANGED_LEADS = ("114",)


def record_names(n_patients: int) -> tuple[str, ...]:
    """Return the first n records: training and test in turn, the one man early, a paced one tenth.

    Examples
    --------
    >>> record_names(10)
    ('101', '100', '201', '202', '106', '103', '108', '105', '109', '102')
    >>> len(set(record_names(60)))
    60
    """
    first = [name for name in DS1 if name != "201"]
    second = [name for name in DS2 if name != "202"]
    names = list(chain.from_iterable(zip(first, second, strict=True)))
    names[2:2] = ["201", "202"]
    for place, paced in zip((9, 20, 31, 42), PACED, strict=True):
        names.insert(place, paced)
    names += [str(number) for number in range(300, 300 + max(0, n_patients - len(names)))]
    return tuple(names[:n_patients])


def write_beat_cohort(
    folder: Path, n_patients: int, seed: int, *, difficulty: str, null: bool, duration_s: float
) -> None:
    """Write records, RECORDS, cohort.csv and truth.json into an existing folder; see `synthesize`.

    The first records are the same whatever their number: seed and record's number are the only
    sources of chance. Unclassifiable beats occur in easy cohorts only: their label is certain.
    """
    mixing = NULL_MIXING if null else MIXINGS[difficulty]
    certain = difficulty == "easy" and not null
    truths = {}
    for name in record_names(n_patients):
        patient = replace(_draw_patient(name, seed, certain), mixing=mixing)
        own_seed = int(np.random.SeedSequence([seed, int(name)]).generate_state(1)[0])
        ecg, truth = simulate(patient, duration_s, RATE_HZ, own_seed)
        write_wfdb(folder, name, _two_leads(ecg, name), truth, fmt="212")
        truths[name] = truth
    names = sorted(truths)
    (folder / "RECORDS").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    _write_table(folder / "cohort.csv", names)
    scored = [truths[name].prob_ventricular for name in names if name not in PACED]
    write_truth(
        folder / "truth.json",
        {
            "kind": "beats",
            "seed": seed,
            "difficulty": "null" if null else difficulty,
            "bayes_auc": {"V against the rest": stats.stated_bayes_auc(np.concatenate(scored))},
            "bayes_auc_of": "all annotated beats of the records that are not paced",
            "records": {name: _facts(truths[name]) for name in names},
        },
    )


def _draw_patient(name: str, seed: int, certain: bool) -> PatientSpec:
    """Draw the person behind a record; linked records are one person with one heart."""
    person = int(SUBJECT_LINK.get(name, name))
    rng = np.random.default_rng(np.random.SeedSequence([seed, person, 1]))
    conduction = str(rng.choice(["normal", "lbbb", "rbbb"], p=[0.7, 0.15, 0.15]))
    rhythm = str(rng.choice(["sinus", "af"], p=[0.85, 0.15]))
    paced = name in PACED
    # Every patient has some ventricular beats, so that each part of a split has all classes.
    return PatientSpec(
        conduction="paced" if paced else conduction,
        rhythm="sinus" if paced else rhythm,
        heart_rate_bpm=70.0 if paced else float(rng.uniform(58.0, 92.0)),
        rr_variability=float(rng.uniform(0.02, 0.06)),
        pvc_share=float(rng.uniform(0.04, 0.16)),
        pac_share=0.0 if paced else float(rng.uniform(0.02, 0.10)),
        fusion_share=float(rng.uniform(0.0, 0.03)),
        unclassifiable_share=0.004 if certain else 0.0,
        focus=str(rng.choice(["right", "left"])),
        anatomy=draw_anatomy(rng),
        noise=Noise(snr_db=float(rng.uniform(12.0, 24.0))),
    )


def _two_leads(ecg: Ecg, name: str) -> Ecg:
    """Choose the record's two leads, in its order and under MIT-BIH's names."""
    second = _SECOND_LEAD.get(name, "V1")
    chosen = ["V5" if name in _WITHOUT_MLII else "II", second]
    if name in _EXCHANGED_LEADS:
        chosen.reverse()
    rows = [ecg.leads.index(lead) for lead in chosen]
    leads = tuple("MLII" if lead == "II" else lead for lead in chosen)
    return Ecg(ecg.signal_mv[rows], ecg.rate_hz, leads)


def _write_table(path: Path, names: list[str]) -> None:
    """Write the cohort table: one row a record, the one man linked."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["patient_id", "subject_link", "study_id", "path_ecg"])
        table.writerows([name, SUBJECT_LINK.get(name, ""), name, f"{name}.hea"] for name in names)


def _facts(truth: Truth) -> dict[str, object]:
    """Return what is known of a record, ready for JSON."""
    return {
        "rhythm": truth.rhythm,
        "symbols": list(truth.symbols),
        "r_s": truth.r_s,
        "qrs_on_s": truth.qrs_on_s,
        "qrs_off_s": truth.qrs_off_s,
        "mixing": truth.mixing,
        "prob_ventricular": truth.prob_ventricular,
    }
