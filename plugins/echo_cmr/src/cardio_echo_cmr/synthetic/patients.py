"""Who is recorded, and how: patients, their studies, and a loop of every view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cardio_echo_cmr.segments import DEPTH_MM, VIEWS, default_geometry
from cardio_echo_cmr.synthetic.findings import Findings, draw_findings
from cardio_echo_cmr.synthetic.heart import Ventricle
from cardio_echo_cmr.synthetic.loop import Beat, LoopSpec, sector_of
from cardio_ultrasound import Look, darker, draw_conditions

SECOND_STUDY_SHARE, LACKS_A_VIEW_SHARE, LATE_CMR_SHARE = 0.4, 0.08, 0.04

APICAL = ("a4c", "a2c")

_FEWEST_FRAMES, _LENGTH_S = 36, 1.08
"""So that 32 frames at 30 a second can be cut out of every loop."""

_FAMILY = ("ASHDOWN", "BRACKEN", "CALLOW", "DUNMORE", "ELLERBY", "FAIRFAX", "GARRICK", "HOLLIS")
_GIVEN = ("ADA", "BORIS", "CLEO", "DORIAN", "EDITH", "FELIX", "GRETA", "HUGO", "IRIS", "JONAS")


@dataclass(frozen=True)
class Person:
    """A patient.

    Attributes
    ----------
    patient_id : str
        As in the cohort table.
    name : str
        Made up; it stands in headers and pictures.
    age_y : float
        Years.
    sex : {"M", "F"}
        Sex.
    findings : Findings
        What the CMR finds, in every study.
    """

    patient_id: str
    name: str
    age_y: float
    sex: str
    findings: Findings


@dataclass(frozen=True)
class Study:
    """One echocardiogram and its CMR.

    Attributes
    ----------
    study_id : str
        As in the cohort table.
    days_echo_to_cmr : int
        From the echocardiogram to the CMR.
    loops : dict of str to LoopSpec
        By view; a view may be missing.
    """

    study_id: str
    days_echo_to_cmr: int
    loops: dict[str, LoopSpec]


def draw_person(
    patient_id: str, rng: np.random.Generator, *, difficulty: str, effect: float | None = None
) -> Person:
    """Draw a patient; age and sex tell nothing. See `draw_findings` for `effect`."""
    name = f"{_FAMILY[rng.integers(len(_FAMILY))]}^{_GIVEN[rng.integers(len(_GIVEN))]}"
    age_y = round(float(np.clip(rng.normal(60.0, 14.0), 18.0, 95.0)), 1)
    sex = "MF"[rng.integers(2)]
    return Person(patient_id, name, age_y, sex, draw_findings(rng, difficulty, effect))


def draw_studies(
    person: Person, rng: np.random.Generator, *, clean: bool = True, shift: float = 0.0
) -> Iterator[Study]:
    """Draw one study, in some patients two, each with a loop of nearly every view.

    Heart size and thickness are the patient's; place, tilt, field of view, gain, heart rate and
    frame rate are the loop's or the study's. What is not `clean` is as hard to read as recordings
    of the clinic: see `held_as_in_the_clinic`. For a `shift` see `cardio_ultrasound.darker`.
    """
    size, wall_mm = float(rng.uniform(0.93, 1.07)), float(rng.uniform(8.5, 10.5))
    n_studies = 1 + int(rng.uniform() < SECOND_STUDY_SHARE)
    for number in range(1, n_studies + 1):
        late = bool(rng.uniform() < LATE_CMR_SHARE)
        away = int(rng.integers(31, 61)) if late else int(rng.integers(0, 31))
        days = away * int(rng.choice([-1, 1]))
        hr_bpm = float(rng.uniform(55.0, 100.0))
        lacks = VIEWS[rng.integers(len(VIEWS))] if rng.uniform() < LACKS_A_VIEW_SHARE else None
        streams = dict(zip(VIEWS, rng.spawn(len(VIEWS)), strict=True))
        loops = {
            view: _draw_loop(view, person, size, wall_mm, hr_bpm, stream)
            for view, stream in streams.items()
        }
        if not clean:
            # Streams of their own: hearts and places are those of the clean recordings.
            loops = {
                view: held_as_in_the_clinic(spec, streams[view].spawn(1)[0])
                for view, spec in loops.items()
            }
        loops = {
            view: replace(spec, look=darker(spec.look, shift))
            for view, spec in loops.items()
            if view != lacks
        }
        yield Study(f"{person.patient_id}-{number}", days, loops)


def _draw_loop(
    view: str, person: Person, size: float, wall_mm: float, hr_bpm: float, rng: np.random.Generator
) -> LoopSpec:
    usual = default_geometry(view, size=size)
    x_mm, z_mm = usual.anchor_mm
    anchor = (x_mm + float(rng.uniform(-3.5, 3.5)), z_mm + float(rng.uniform(-3.0, 3.0)))
    geometry = replace(
        usual,
        wall=replace(usual.wall, wall_mm=wall_mm),
        anchor_mm=anchor,
        tilt_deg=usual.tilt_deg + float(rng.uniform(-5.0, 5.0)),
    )
    found = person.findings
    rate_hz = round(30.0 + 30.0 * float(rng.beta(1.0, 2.0)), 1)
    hr_bpm *= float(rng.uniform(0.97, 1.03))
    return LoopSpec(
        geometry,
        Ventricle(geometry.wall, found.amplitude, found.thickness, int(rng.integers(2**31))),
        Beat(hr_bpm, float(rng.uniform(0.0, 60_000.0 / hr_bpm))),
        sector_of(DEPTH_MM[view] + float(rng.uniform(-9.0, 9.0)), float(rng.uniform(36.0, 40.0))),
        rate_hz=rate_hz,
        n_frames=max(_FEWEST_FRAMES, int(np.ceil(_LENGTH_S * rate_hz))),
        breath_mm=float(rng.uniform(0.2, 1.0)),
        breath_rad=float(rng.uniform(0.0, 2 * np.pi)),
        look=_draw_look(rng),
    )


def held_as_in_the_clinic(spec: LoopSpec, rng: np.random.Generator) -> LoopSpec:
    """Return the same motion in a recording that is as hard to read as those of the clinic.

    Whole screens and chroma noise are left out, for they cost more than the loop itself; only the
    apical views can be foreshortened.
    """
    held = replace(draw_conditions(rng), layout="", chroma_sd=0.0)
    if spec.geometry.view not in APICAL:
        held = replace(held, foreshortening=1.0)
    wall = spec.geometry.wall
    wall = replace(wall, length_mm=held.foreshortening * wall.length_mm)
    tilt_deg = spec.geometry.tilt_deg + held.turned_deg
    sector = sector_of(held.depth * spec.sector.depth_mm, spec.sector.half_angle_deg)
    return replace(
        spec,
        geometry=replace(spec.geometry, wall=wall, tilt_deg=tilt_deg),
        ventricle=replace(spec.ventricle, wall=wall),
        sector=sector,
        look=held.look,
        held=held,
    )


def _draw_look(rng: np.random.Generator) -> Look:
    return Look(
        white_db=float(rng.uniform(14.0, 22.0)),
        contrast=float(rng.uniform(0.85, 1.05)),
        attenuation_db=float(rng.uniform(0.4, 0.6)),
        noise_db=float(rng.uniform(-34.0, -28.0)),
        haze_db=float(rng.uniform(-2.0, 5.0)),
        echoes_db=float(rng.uniform(-28.0, -20.0)),
        n_dropouts=int(rng.integers(0, 3)),
        dropout_db=float(rng.uniform(6.0, 14.0)),
    )
