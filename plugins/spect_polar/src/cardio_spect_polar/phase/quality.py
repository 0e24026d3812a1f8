"""What can be wrong with a study that was sampled, and what that does to its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.phase.cycle import first_harmonic
from cardio_spect_polar.phase.dyssynchrony import phase_indices
from cardio_spect_polar.phase.gating import GateOrder, GatingReport
from cardio_spect_polar.phase.volumes import Volumes
from cardio_spect_polar.readers.gated import Flag

DISORDER = (0.1, 0.2)
"""Gates less in order than this are doubtful, and out of order. In 200 random digital ventricles of
25 to 200 counts a voxel none was above 0.09; exchanges of two gates that stayed below 0.1 moved the
phase SD by 5 degrees at most, those below 0.2 by 6."""

ROUGHER = (0.2, 0.25)
"""From where on two gates are doubtful, and exchanged. In 240 digital hearts as patients' it was
.23 at most, though half of them fill within 15 to 25 % of the cycle; it was above .25 in 2 of 80
that fill within 16 %, with an atrial kick. Of all exchanges of neighbouring gates 94 % are above
.25 where filling is as slow as usual, of gates 3 or 4 apart 96 %."""

SWAY_MM, JOINED = (0.5, 0.7), 1.8
"""Sideways jumps that no beat makes, alone, or with a step between the two halves of the gates.
Gates of patients lie 0.3 to 0.4 mm apart because each is of other breaths. Digital ventricles whose
gates do so jump by 0.6 mm at most, with steps below 1.5. Of hearts that fill within a quarter of
the cycle 5 in 12 step by up to 4.4, and 1 of 120 jumps by more than 0.5 mm as well; halves of two
acquisitions step by 1.8 and more and jump by 0.47 to 1.3 mm, gates of eight positions (2 mm) by 0.7
to 2.8 mm."""

USUAL_DEG, POSSIBLE_DEG = (80.0, 205.0), (45.0, 250.0)
"""When the whole wall is thickest. Healthy men 134.5 ± 14.3, women 140.2 ± 14.9 degrees; failing
hearts with a left bundle branch block are later."""

HIGH_EF_PCT = 85.0
EF_PCT, EDV_ML = (5.0, 95.0), (25.0, 700.0)
MUSCLE_G = (20.0, 450.0)
"""Digital ventricles weigh 36 to 180 g as measured; with voxels twice too large 530 to 950 g."""
OUTPUT_L_MIN = (1.5, 20.0)


@dataclass(frozen=True)
class Sampled:
    """What of a study its quality is judged by.

    Attributes
    ----------
    curves : ndarray, shape (n_slots, n_rings, n_rays)
        Of the wall, corrected as `gating` says.
    gating : GatingReport
    order : GateOrder
    volumes : Volumes
    rr_ms : float or None
        RR interval.
    """

    curves: NDArray[np.float64]
    gating: GatingReport
    order: GateOrder
    volumes: Volumes
    rr_ms: float | None


def quality_flags(study: Sampled) -> tuple[Flag, ...]:
    """Return the flags of a sampled study."""
    flags = [*_of_counts(study), *_of_order(study.order)]
    if not any(flag.consequence == "no verdict" for flag in flags):
        flags += _of_peak(study.curves)  # that of what is no beat says nothing more
    return (*flags, *_of_volumes(study.volumes, study.rr_ms))


def _of_counts(study: Sampled) -> Iterator[Flag]:
    """Say what scaling the gates did to the phase SD."""
    if not (study.gating.jumps and study.gating.corrected):
        return
    before = study.curves / study.gating.scale[:, None, None]
    uncorrected, corrected = (
        phase_indices(first_harmonic(curves).phase_deg).psd_deg for curves in (before, study.curves)
    )
    yield Flag(
        f"scaling the gates took the phase SD from {uncorrected:.1f} to {corrected:.1f} degrees"
    )


def _of_order(order: GateOrder) -> Iterator[Flag]:
    joined = order.split >= JOINED and order.sway_mm >= SWAY_MM[0]
    if order.disorder >= DISORDER[0] and order.interleaved:
        yield Flag(
            "every second gate is of another beat, as if the gates of two acquisitions were "
            "interleaved: phases and volumes are of no one heart",
            "no verdict",
        )
        return
    doubtful, surely = (
        order.disorder >= DISORDER[n] or order.rougher >= ROUGHER[n] for n in (0, 1)
    )
    if doubtful:
        why = "the gates do not follow each other as a beat does"
        if order.exchanged and order.rougher >= ROUGHER[0]:
            why = "gate {} and gate {} seem exchanged".format(*order.exchanged)
        if surely:
            yield Flag(
                f"{why}: neighbouring gates differ more than distant ones, so that neither phases "
                "nor volumes are those of a beat",
                "no verdict",
            )
            return
        yield Flag(
            f"{why}, if not for noise: phase SD may be off by 6 degrees and the ejection "
            "fraction by 6 points",
            "caution",
        )
    if joined:
        yield Flag(
            "the heart differs between the first and the second half of the gates in a way that "
            "no beat makes, as if gates of two acquisitions were joined: phases and volumes are "
            "of no one heart",
            "no verdict",
        )
    elif order.sway_mm >= SWAY_MM[1]:
        yield Flag(
            f"the heart jumps sideways between gates (by {order.sway_mm:.1f} mm beyond a smooth "
            "motion), as if gates of several acquisitions were put together: phases and volumes "
            "are of no one heart",
            "no verdict",
        )


def _of_peak(curves: NDArray[np.float64]) -> Iterator[Flag]:
    """Judge when the whole wall thickens most, each sample by its share of its own mean."""
    mean = curves.mean(axis=0)
    share = (curves / np.where(mean > 0, mean, np.inf)).mean(axis=(1, 2))
    peak = float(first_harmonic(share[:, None]).phase_deg[0])
    if np.isnan(peak) or USUAL_DEG[0] <= peak <= USUAL_DEG[1]:
        return
    what = f"the wall is thickest at {peak:.0f} degrees of the cycle, where 135 to 140 is usual"
    if POSSIBLE_DEG[0] <= peak <= POSSIBLE_DEG[1]:
        yield Flag(
            f"{what}: if the gates do not begin at the R wave, or run backwards, the peak and "
            "the latest wall are wrong, while phase SD, bandwidth and ejection fraction are not",
            "caution",
            of=("phase",),
        )
    else:
        yield Flag(
            f"{what}: the gates do not begin at the R wave or this is no ventricle, so that no "
            "wall can be called early or late",
            "no verdict",
            of=("phase",),
        )


def _of_volumes(found: Volumes, rr_ms: float | None) -> Iterator[Flag]:
    ef, edv, esv = found.ef_pct, found.edv_ml, found.esv_ml
    what = f"volumes of {edv:.0f} and {esv:.0f} mL with an ejection fraction of {ef:.0f} %"
    if not MUSCLE_G[0] <= found.mass_g <= MUSCLE_G[1]:
        yield Flag(
            f"a muscle of {found.mass_g:.0f} g: no adult heart is like that, so check the voxel "
            "size",
            "no verdict",
            of=("volumes",),
        )
        return
    if not (EDV_ML[0] <= edv <= EDV_ML[1] and EF_PCT[0] <= ef <= EF_PCT[1]):
        yield Flag(
            f"{what}: no adult heart is like that, so check the voxel size and where the wall "
            "was found",
            "no verdict",
            of=("volumes",),
        )
        return
    if ef > HIGH_EF_PCT:
        yield Flag(
            f"ejection fraction {ef:.0f} %: in a small heart the walls blur into the cavity in "
            "systole, so that the end-systolic volume is too small and the ejection fraction too "
            "high",
            "caution",
            of=("volumes",),
        )
    if rr_ms:
        output = (edv - esv) * 60.0 / rr_ms
        if not OUTPUT_L_MIN[0] <= output <= OUTPUT_L_MIN[1]:
            yield Flag(
                f"stroke volume {edv - esv:.0f} mL at {60_000 / rr_ms:.0f} beats a minute makes "
                f"{output:.1f} L/min: the volumes or the heart rate are wrong",
                "caution",
                of=("volumes",),
            )
