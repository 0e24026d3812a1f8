"""Lead names, derived limb leads, and signs of exchanged electrodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio_ecg_transfer.signal.delineation.median_beat import median_beat
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.exchanges import polarity_flags
from cardio_ecg_transfer.signal.leads.names import (
    STANDARD_LEADS,
    canonical_leads,
    derive_limb_leads,
    in_standard_order,
    normalise_lead_name,
    standard_order,
)

RATE_HZ = 500.0


@pytest.mark.parametrize(
    ("written", "usual"),
    [
        ("MDC_ECG_LEAD_I", "I"),
        ("MDC_ECG_LEAD_AVR", "aVR"),
        ("LEAD I (Einthoven)", "I"),
        ("Lead aVF, augmented voltage, foot", "aVF"),
        ("i", "I"),
        ("aVR", "aVR"),
        ("AVR", "aVR"),
        ("a V L", "aVL"),
        ("ML II", "MLII"),
        ("mod.II", "MLII"),
        ("DII", "II"),
        ("v4r", "V4R"),
        ("Lead V6", "V6"),
        ("X", "vx"),
        ("-aVR", "-aVR"),
        ("ECG1", "ECG1"),
        (" Resp ", "Resp"),
        ("", ""),
    ],
)
def test_a_written_name_becomes_the_usual_one(written: str, usual: str) -> None:
    assert normalise_lead_name(written) == usual


@given(
    lead=st.sampled_from(STANDARD_LEADS),
    prefix=st.sampled_from(["", "Lead ", "MDC_ECG_LEAD_", "ECG lead ", "  "]),
    suffix=st.sampled_from(["", " ", " (Einthoven)", ", derived"]),
    upper=st.booleans(),
)
def test_case_prefix_and_remark_do_not_hide_a_standard_lead(
    lead: str, prefix: str, suffix: str, upper: bool
) -> None:
    name = prefix + (lead.upper() if upper else lead.lower()) + suffix
    assert normalise_lead_name(name) == lead


@given(st.text())
def test_any_text_has_a_name_and_naming_again_changes_nothing(text: str) -> None:
    once = normalise_lead_name(text)
    assert normalise_lead_name(once) == once


@given(st.lists(st.sampled_from([*STANDARD_LEADS, "ii", "V 1", "x", "II #2"]), max_size=15))
def test_leads_of_a_recording_get_distinct_names_in_their_order(names: list[str]) -> None:
    leads, flags = canonical_leads(tuple(names))
    assert len(set(leads)) == len(names)
    assert len(flags) <= len(names)
    for name, lead in zip(names, leads, strict=True):
        assert lead.split(" #")[0] == normalise_lead_name(name).split(" #")[0]


@given(st.permutations([*STANDARD_LEADS, "vx", "MLII"]))
def test_the_usual_order_is_the_textbooks(leads: list[str]) -> None:
    ordered = [leads[i] for i in standard_order(tuple(leads))]
    assert ordered[:12] == list(STANDARD_LEADS)
    assert set(ordered[12:]) == {"vx", "MLII"}


def test_derived_leads_are_electrode_differences() -> None:
    """With the three limb electrodes' own potentials, every definition can be written out."""
    right_arm, left_arm, left_leg = np.random.default_rng(0).normal(size=(3, 1000))
    ecg = Ecg(
        np.float32([left_arm - right_arm, left_leg - right_arm]), RATE_HZ, ("I", "II"), ("note",)
    )
    full = derive_limb_leads(ecg)
    assert full.leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    expected = [
        left_leg - left_arm,
        right_arm - (left_arm + left_leg) / 2,
        left_arm - (right_arm + left_leg) / 2,
        left_leg - (right_arm + left_arm) / 2,
    ]
    np.testing.assert_allclose(full.signal_mv[2:], expected, atol=1e-6)
    assert full.flags == ("note", "III derived", "aVR derived", "aVL derived", "aVF derived")
    assert full.derived == {"III", "aVR", "aVL", "aVF"}


def test_a_recorded_lead_is_never_replaced_by_a_derived_one() -> None:
    signal_mv = np.float32([[1, 2], [3, 4], [100, 100]])
    full = derive_limb_leads(Ecg(signal_mv, RATE_HZ, ("I", "II", "aVR")))
    assert full.leads == ("I", "II", "aVR", "III", "aVL", "aVF")
    assert full.signal_mv[2].tolist() == [100, 100]
    without_one = Ecg(signal_mv, RATE_HZ, ("II", "V1", "V5"))
    assert derive_limb_leads(without_one) is without_one


def test_a_sample_missing_in_lead_one_is_missing_in_what_follows_from_it() -> None:
    full = derive_limb_leads(Ecg(np.float32([[np.nan, 1], [1, 1]]), RATE_HZ, ("I", "II")))
    assert np.isnan(full.signal_mv[2:, 0]).all()
    assert not np.isnan(full.signal_mv[:, 1]).any()


def test_sorting_moves_signals_with_their_names() -> None:
    ecg = in_standard_order(Ecg(np.float32([[5], [7], [1]]), RATE_HZ, ("V5", "MLII", "I")))
    assert dict(zip(ecg.leads, ecg.signal_mv[:, 0].tolist(), strict=True)) == {
        "I": 1.0,
        "V5": 5.0,
        "MLII": 7.0,
    }
    assert ecg.leads == ("I", "V5", "MLII")


# Heights in mV of P, QRS and T in the limb leads of a textbook normal ECG, and in V5.
NORMAL = {"I": (0.1, 0.9, 0.2), "II": (0.12, 0.8, 0.25), "V5": (0.06, 1.2, 0.3)}
R_SAMPLES = np.arange(250, 5000, 500)


def textbook(changes: dict[str, tuple[float, float, float]] | None = None) -> Ecg:
    t = np.arange(5000) / RATE_HZ % 1.0

    def wave(centre_s: float, width_s: float) -> np.ndarray:
        return np.exp(-0.5 * ((t - centre_s) / width_s) ** 2)

    shapes = np.stack([wave(0.34, 0.02), wave(0.5, 0.012), wave(0.75, 0.04)])
    heights = NORMAL | (changes or {})
    signal_mv = (np.array(list(heights.values())) @ shapes).astype(np.float32)
    ecg = derive_limb_leads(Ecg(signal_mv, RATE_HZ, tuple(heights)))
    return replace(in_standard_order(ecg), flags=())


def exchanged(ecg: Ecg, kind: str) -> Ecg:
    """Return what the recorder would have seen (Kligfield 2007, Batchvarov 2007)."""
    lead = dict(zip(ecg.leads, ecg.signal_mv, strict=True))
    if kind == "arms":
        swap = {"I": -lead["I"], "II": lead["III"], "III": lead["II"]}
        swap |= {"aVR": lead["aVL"], "aVL": lead["aVR"]}
    elif kind == "right arm and left leg":
        swap = {"I": -lead["III"], "II": -lead["II"], "III": -lead["I"]}
        swap |= {"aVR": lead["aVF"], "aVF": lead["aVR"]}
    else:
        swap = {kind: -lead[kind]}
    return replace(ecg, signal_mv=np.stack(list((lead | swap).values())))


def flags_of(ecg: Ecg) -> tuple[str, ...]:
    return polarity_flags(median_beat(ecg.signal_mv, RATE_HZ, R_SAMPLES, ecg.leads))


def test_without_chest_leads_a_normal_recording_has_no_flag() -> None:
    assert flags_of(textbook()) == ()


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("arms", "arm electrodes exchanged?"),
        ("right arm and left leg", "right arm and left leg exchanged?"),
        ("V5", "V5 inverted: P -0.06 mV and QRS -1."),
    ],
)
def test_without_chest_leads_an_exchange_made_on_purpose_is_named(kind: str, part: str) -> None:
    assert any(flag.startswith(part) for flag in flags_of(exchanged(textbook(), kind)))


def test_without_p_waves_nobody_is_accused() -> None:
    fibrillating = {lead: (0.0, qrs, t_wave) for lead, (_, qrs, t_wave) in NORMAL.items()}
    assert flags_of(exchanged(textbook(fibrillating), "arms")) == ()


def test_missing_stretches_are_left_out() -> None:
    ecg = exchanged(textbook(), "arms")
    ecg.signal_mv[:, 1000:2000] = np.nan
    assert flags_of(ecg)[0].startswith("arm electrodes exchanged?")
