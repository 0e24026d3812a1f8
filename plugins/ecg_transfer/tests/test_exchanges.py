"""Exchanged electrodes, inverted leads, and limb leads that contradict each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat, median_beat
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import high_pass
from cardio_ecg_transfer.signal.leads.agreement import disagreements
from cardio_ecg_transfer.signal.leads.exchanges import find_exchanges, mistakes
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS, derive_limb_leads
from cardio_ecg_transfer.signal.rpeaks import detect_r_peaks
from cardio_ecg_transfer.synthetic.patient import PatientSpec, draw_anatomy
from cardio_ecg_transfer.synthetic.simulation import simulate

LIMB = {lead: place for place, lead in enumerate(("I", "II", "III", "aVR", "aVL", "aVF"))}
RIGHT_ARM, LEFT_ARM, LEFT_LEG = 0, 1, 2


def synthetic(seed: int = 0, conduction: str = "normal") -> Ecg:
    anatomy = draw_anatomy(np.random.default_rng(seed))
    ecg, _ = simulate(PatientSpec(conduction, anatomy=anatomy), 10.0, 500.0, seed)
    return replace(derive_limb_leads(ecg), flags=())


def with_electrodes(ecg: Ecg, places: tuple[int, int, int]) -> Ecg:
    """Return the twelve leads that cables of right arm, left arm and left leg see at places."""
    row = dict(zip(ecg.leads, ecg.signal_mv.astype(float), strict=True))
    # The mean of the three is zero: what they add up to cancels in every lead.
    site = np.stack([-(row["I"] + row["II"]), 2 * row["I"] - row["II"], 2 * row["II"] - row["I"]])
    right, left, foot = (site / 3)[list(places)]
    limb = {
        "I": left - right, "II": foot - right, "III": foot - left,
        "aVR": right - (left + foot) / 2, "aVL": left - (right + foot) / 2,
        "aVF": foot - (right + left) / 2,
    }  # fmt: skip
    return replace(ecg, signal_mv=np.float32([(row | limb)[lead] for lead in ecg.leads]))


def with_rows(ecg: Ecg, change: dict[str, str]) -> Ecg:
    """Return an ECG whose leads hold others, ``-V2`` upside down."""
    rows = ecg.signal_mv.copy()
    for lead, held in change.items():
        sign = -1 if held.startswith("-") else 1
        rows[ecg.leads.index(lead)] = sign * ecg.signal_mv[ecg.leads.index(held.lstrip("-"))]
    return replace(ecg, signal_mv=rows)


def beat_of(ecg: Ecg) -> MedianBeat:
    peaks = detect_r_peaks(ecg.signal_mv, ecg.rate_hz).samples
    return median_beat(high_pass(ecg.signal_mv, ecg.rate_hz), ecg.rate_hz, peaks, ecg.leads)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ((LEFT_ARM, RIGHT_ARM, LEFT_LEG), "right arm and left arm electrodes are"),
        ((LEFT_LEG, LEFT_ARM, RIGHT_ARM), "right arm and left leg electrodes are"),
        ((RIGHT_ARM, LEFT_LEG, LEFT_ARM), "left arm and left leg electrodes are"),
        ((LEFT_LEG, RIGHT_ARM, LEFT_ARM), "are on the left leg, right arm and left arm"),
        ((LEFT_ARM, LEFT_LEG, RIGHT_ARM), "are on the left arm, left leg and right arm"),
    ],
)
def test_a_mistake_of_limb_electrodes_is_the_one_that_its_words_say(places, said):
    ecg = synthetic()
    (mistake,) = (m for m in mistakes() if m.text.startswith(said) or m.text.endswith(said))
    leads = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    rows = [ecg.leads.index(lead) for lead in leads]
    recorded = with_electrodes(ecg, places).signal_mv[rows]
    np.testing.assert_allclose(mistake.made @ ecg.signal_mv[rows], recorded, atol=1e-5)
    assert mistake.leads == tuple(LIMB)


@pytest.mark.parametrize("conduction", ["normal", "lbbb", "rbbb", "paced"])
def test_nobody_is_accused_whose_electrodes_are_in_place(conduction):
    assert [find_exchanges(beat_of(synthetic(seed, conduction))) for seed in range(3)] == [()] * 3


@pytest.mark.parametrize(
    ("change", "leads", "said"),
    [
        ({"V1": "V4", "V4": "V1"}, ("V1", "V4"), "V1 and V4 are exchanged"),
        ({"V2": "-V2"}, ("V2",), "V2 is inverted"),
        ({lead: f"-{lead}" for lead in STANDARD_LEADS}, STANDARD_LEADS, "the whole ECG is inv"),
    ],
)
def test_a_clear_mistake_is_named_with_what_to_do_and_its_leads_are_unfit(change, leads, said):
    (found,) = find_exchanges(beat_of(with_rows(synthetic(), change)))
    assert found.text.startswith(said)
    assert (found.leads, found.unfit) == (leads, "place")


def test_two_mistakes_at_once_are_both_named():
    arms = with_electrodes(synthetic(), (LEFT_ARM, RIGHT_ARM, LEFT_LEG))
    found = find_exchanges(beat_of(with_rows(arms, {"V2": "V5", "V5": "V2"})))
    assert {one.leads for one in found} == {tuple(LIMB), ("V2", "V5")}


def test_a_gain_of_the_recording_changes_no_word():
    ecg = with_rows(synthetic(), {"V1": "V4", "V4": "V1"})
    twice = replace(ecg, signal_mv=ecg.signal_mv * np.float32(2))
    assert find_exchanges(beat_of(ecg)) == find_exchanges(beat_of(twice))


@pytest.mark.parametrize(("places", "silent"), [((3, 1, 2), "II"), ((0, 3, 2), "III")])
def test_the_right_leg_s_cable_on_an_arm_leaves_a_silent_lead(places, silent):
    ecg = synthetic()
    row = dict(zip(ecg.leads, ecg.signal_mv, strict=True))
    limb = {"II": 0 * row["II"], "I": -row["III"]} if silent == "II" else {"I": row["II"]}
    rows = np.stack([(row | limb)[lead] for lead in ecg.leads])
    (found,) = find_exchanges(beat_of(replace(ecg, signal_mv=rows)))
    arm = "right arm" if silent == "II" else "left arm"
    assert found.text.startswith(f"{arm} and right leg electrodes are exchanged, {silent} moves")
    assert found.leads == STANDARD_LEADS


@pytest.mark.parametrize("lead", tuple(LIMB))
def test_a_wrong_sign_of_one_limb_lead_is_told_exactly(lead):
    (found,) = disagreements(with_rows(synthetic(), {lead: f"-{lead}"}))
    assert found.text.startswith(f"{lead} has the wrong sign")
    assert found.leads == (lead,)


@pytest.mark.parametrize(
    ("change", "part", "leads"),
    [
        ({"aVL": "aVF", "aVF": "aVL"}, "aVL and aVF are exchanged", ("aVL", "aVF")),
        ({"I": "II", "II": "I"}, "I and II are exchanged", ("I", "II")),
        ({"aVF": "aVL"}, "aVF holds aVL", ("aVF",)),
        ({"aVF": "V3"}, "aVF does not follow from the other limb leads", ("aVF",)),
        ({"I": "-I", "II": "-II", "III": "-III"}, "the limb leads contradict each", tuple(LIMB)),
    ],
)  # fmt: skip
def test_limb_leads_that_contradict_each_other_are_named(change, part, leads):
    (found,) = disagreements(with_rows(synthetic(), change))
    assert found.text.startswith(part)
    assert found.leads == leads


def test_gains_of_single_leads_are_told_from_wrong_leads():
    ecg = synthetic()
    rows = ecg.signal_mv.copy()
    rows[ecg.leads.index("aVF")] *= 2
    (found,) = disagreements(replace(ecg, signal_mv=rows))
    assert (found.leads, found.unfit) == (("aVF",), "potential")
    rows[:6] = ecg.signal_mv[:6] * np.float32([[1.0], [1.5], [0.7], [2.0], [1.2], [0.5]])
    (found,) = disagreements(replace(ecg, signal_mv=rows))
    assert (found.leads, found.unfit) == (tuple(LIMB), "potential")


def test_leads_that_agree_were_derived_or_are_too_few_say_nothing():
    ecg = synthetic()
    assert disagreements(ecg) == ()
    wrong = with_rows(ecg, {"aVL": "-aVL"})
    assert disagreements(replace(wrong, derived=frozenset({"aVL"}))) == ()
    two = replace(ecg, leads=ecg.leads[:2], signal_mv=ecg.signal_mv[:2])
    assert disagreements(two) == ()
