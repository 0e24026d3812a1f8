"""The names of leads: many spellings, one usual name, one usual order."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from cardio_ecg_transfer.signal.ecg import Ecg

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
PRECORDIAL_LEADS = ("V1", "V2", "V3", "V4", "V5", "V6")
STANDARD_LEADS = LIMB_LEADS + PRECORDIAL_LEADS
INDEPENDENT_LEADS = ("I", "II", *PRECORDIAL_LEADS)
"""The eight of which none follows from others."""

_FURTHER_LEADS = (
    *("V7", "V8", "V9", "V1R", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R"),
    *("MLI", "MLII", "MLIII", "MCL1", "MCL6", "CM5", "CC5"),
    *("vx", "vy", "vz"),
)
_CANONICAL = {name.upper(): name for name in (*STANDARD_LEADS, *_FURTHER_LEADS)} | {
    "X": "vx",
    "Y": "vy",
    "Z": "vz",
    "D1": "I",  # derivación, Ableitung: how some recorders print the limb leads
    "D2": "II",
    "D3": "III",
    "DI": "I",
    "DII": "II",
    "DIII": "III",
    "MODI": "MLI",
    "MODII": "MLII",
    "ML1": "MLI",
    "ML2": "MLII",
    "ML3": "MLIII",
}

_NOT_IN_NAMES = re.compile(r"[\s_.\-]+")
_PREFIXES = ("", "MDCECGLEAD", "MDCECG", "ECGLEAD", "LEAD", "ECG", "EKG")
_SUFFIXES = ("", "REF")
_REMARK = re.compile(r"\([^()]*\)|,.*$")


def normalise_lead_name(name: str) -> str:
    """Return the usual spelling of a lead's name, or the name itself where it is none known.

    Case, blanks, underscores, dots and hyphens are ignored, and so are the prefixes of the
    IEEE 11073 nomenclature (``MDC_ECG_LEAD_``), of DICOM's meanings (``Lead``) and of EDF+
    (``ECG``), a remark in brackets or after a comma, and EDF+'s reference (``-REF``). A leading
    minus is no hyphen: ``-aVR`` is another lead.

    Parameters
    ----------
    name : str
        Whatever a file calls the lead.

    Returns
    -------
    str
        One of `STANDARD_LEADS`, of the further leads known here (V7 to V9, right precordial,
        modified limb and chest leads, vx, vy, vz), or the name without outer blanks.

    Examples
    --------
    >>> [normalise_lead_name(n) for n in ("MDC_ECG_LEAD_I", "LEAD I (Einthoven)", "i", "AVR")]
    ['I', 'I', 'I', 'aVR']
    >>> [normalise_lead_name(n) for n in ("ML II", "v 1", "aVF, augmented voltage, foot", "Z")]
    ['MLII', 'V1', 'aVF', 'vz']
    >>> normalise_lead_name("ECG V1-REF"), normalise_lead_name("EKG II")
    ('V1', 'II')
    >>> normalise_lead_name(" -aVR "), normalise_lead_name("Resp")
    ('-aVR', 'Resp')
    """
    stripped = name.strip()
    sign = "-" if stripped.startswith("-") else ""
    usual = _usual_name(stripped)
    return stripped if usual is None else sign + usual


def is_lead_name(name: str) -> bool:
    """Tell whether `normalise_lead_name` knows a lead by this name, with either sign.

    Examples
    --------
    >>> [is_lead_name(name) for name in ("ecg ii", "-aVR", "Resp", "ECG")]
    [True, True, False, False]
    """
    return _usual_name(name.strip()) is not None


def _usual_name(stripped: str) -> str | None:
    """Look a name up, its sign left aside."""
    key = _NOT_IN_NAMES.sub("", _REMARK.sub("", stripped)).upper()
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            core = key.removeprefix(prefix).removesuffix(suffix)
            if core in _CANONICAL and key == prefix + core + suffix:
                return _CANONICAL[core]
    return None


def canonical_leads(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give every lead of a recording its usual name, and make the names distinct.

    Parameters
    ----------
    names : tuple of str
        As the file has them, in its order.

    Returns
    -------
    leads : tuple of str
        Usual names; a second lead of the same name becomes ``"II #2"``.
    flags : tuple of str
        One for each name that occurs again.

    Examples
    --------
    >>> canonical_leads(("Lead II", "V5", "ii"))
    (('II', 'V5', 'II #2'), ('lead 3 repeats a name',))
    """
    leads: list[str] = []
    flags: list[str] = []
    for index, name in enumerate(names):
        lead = normalise_lead_name(name)
        unique, n = lead, 1
        while unique in leads:
            n += 1
            unique = f"{lead} #{n}"
        if n > 1:
            flags.append(f"lead {index + 1} repeats a name")
        leads.append(unique)
    return tuple(leads), tuple(flags)


def standard_order(leads: tuple[str, ...]) -> tuple[int, ...]:
    """Return the positions of the leads in the usual order: I to aVF, V1 to V6, then the rest.

    Parameters
    ----------
    leads : tuple of str
        Usual names (see `normalise_lead_name`).

    Returns
    -------
    tuple of int
        A permutation of ``range(len(leads))``; other leads keep their order, behind the twelve.

    Examples
    --------
    >>> order = standard_order(("V1", "vx", "II", "I"))
    >>> order, tuple(("V1", "vx", "II", "I")[i] for i in order)
    ((3, 2, 0, 1), ('I', 'II', 'V1', 'vx'))
    """
    rank = {lead: position for position, lead in enumerate(STANDARD_LEADS)}
    return tuple(
        sorted(range(len(leads)), key=lambda i: (rank.get(leads[i], len(STANDARD_LEADS)), i))
    )


_FROM_I_AND_II = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}


def derive_limb_leads(ecg: Ecg) -> Ecg:
    """Add those of III, aVR, aVL and aVF that the recording lacks, from I and II.

    Parameters
    ----------
    ecg : Ecg
        With usual lead names.

    Returns
    -------
    Ecg
        The same leads, then the derived ones, each with a flag ``"III derived"``. A sample
        missing in I or II is missing in them. Without I or II the recording comes back as it is.

    Examples
    --------
    >>> ecg = Ecg(np.array([[1.0], [3.0]], dtype=np.float32), 500.0, ("I", "II"))
    >>> full = derive_limb_leads(ecg)
    >>> dict(zip(full.leads, full.signal_mv[:, 0].tolist(), strict=True))
    {'I': 1.0, 'II': 3.0, 'III': 2.0, 'aVR': -2.0, 'aVL': -0.5, 'aVF': 2.5}
    >>> full.flags
    ('III derived', 'aVR derived', 'aVL derived', 'aVF derived')
    """
    absent = [lead for lead in _FROM_I_AND_II if lead not in ecg.leads]
    if not absent or not {"I", "II"} <= set(ecg.leads):
        return ecg
    base = ecg.signal_mv[[ecg.leads.index("I"), ecg.leads.index("II")]]
    weights = np.array([_FROM_I_AND_II[lead] for lead in absent], dtype=np.float32)
    return replace(
        ecg,
        signal_mv=np.concatenate([ecg.signal_mv, weights @ base]),
        leads=ecg.leads + tuple(absent),
        flags=ecg.flags + tuple(f"{lead} derived" for lead in absent),
        derived=ecg.derived.union(absent),
    )


def in_standard_order(ecg: Ecg) -> Ecg:
    """Sort the leads: I, II, III, aVR, aVL, aVF, V1 to V6, then the others as they were.

    Examples
    --------
    >>> ecg = Ecg(np.array([[5.0], [1.0]], dtype=np.float32), 500.0, ("V1", "I"))
    >>> in_standard_order(ecg).leads
    ('I', 'V1')
    """
    order = standard_order(ecg.leads)
    return replace(
        ecg, signal_mv=ecg.signal_mv[list(order)], leads=tuple(ecg.leads[i] for i in order)
    )
