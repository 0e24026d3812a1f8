"""How hard a loop is to read: what clinical recordings have that a clean phantom lacks.

One draw a loop says how it looks, how the probe is held, and what the file went through. Nothing
in it tells what the heart does, and all of it leaves the truth exact: what is drawn differently is
drawn from the same motion, and where pixels move, points move with them (`OnScreen.place`).

What real recordings have that these phantoms lack still: a heart in three dimensions (through-plane
motion is a speckle pattern that changes, not another cut), lung that sweeps over the picture,
persistence and speckle reduction by the scanner, side lobes, trabeculae, chordae, calcium and
devices other than a lead, rhythms other than sinus rhythm with ectopic beats, a depth that is
changed within a clip, screens upside down, zoomed or recorded off a monitor, contrast agent, and
observers whose septal lines are off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.ultrasound.phantoms.appearance import Look, Shadow

CLEAR_BLOOD_DB = -38.0
"""Blood at the level of the noise."""

_TURN_S = 0.08


@dataclass(frozen=True)
class Conditions:
    """One recording's; as they stand, the clean phantom's.

    Attributes
    ----------
    look : Look
        Gain, contrast, noise, artefacts, and a shadow over the free wall.
    blood_db : float
        Level of what is seen in the cavities, 0 dB being myocardium: the nearer, the less contrast.
    gain_db, gain_at : float
        The gain is turned by so much within the loop, at this share of it.
    decorrelation : float
        Share of the speckle's correlation that is lost at the end of systole because tissue moves
        through the plane; `drift` is what is lost for good from beat to beat.
    drift : float
        See there.
    depth : float
        Field of view, as a share of the usual depth.
    foreshortening : float
        Long axis that is seen, as a share of the true one.
    turned_deg : float
        How far the heart lies off the axis, positive with the right side downwards.
    mirrored : bool
        Left and right exchanged on the screen.
    jpeg_quality : int
        Of the file.
    chroma_sd : float
        Chroma noise of a video codec, in levels of 255; 0 is none.
    layout : str
        Whole screen that the loop stands on, by its name in `SCREEN_LAYOUTS`; "" is none.
    """

    look: Look = field(default_factory=Look)
    blood_db: float = CLEAR_BLOOD_DB
    gain_db: float = 0.0
    gain_at: float = 0.5
    decorrelation: float = 0.0
    drift: float = 0.0
    depth: float = 1.0
    foreshortening: float = 1.0
    turned_deg: float = 0.0
    mirrored: bool = False
    jpeg_quality: int = 95
    chroma_sd: float = 0.0
    layout: str = ""

    def gain_course_db(self, time_s: ArrayLike) -> NDArray[np.float64]:
        """Return the gain of every frame in dB: 0, and `gain_db` from `gain_at` of the loop on.

        Examples
        --------
        >>> Conditions(gain_db=4.0).gain_course_db([0.0, 0.49, 1.0]).round(1).tolist()
        [0.0, 1.5, 4.0]
        """
        at = np.asarray(time_s, dtype=np.float64)
        turned_s = at[0] + self.gain_at * (at[-1] - at[0])
        return np.asarray(self.gain_db * np.clip((at - turned_s) / _TURN_S + 0.5, 0.0, 1.0))

    def plane_course(self, systole: ArrayLike, beats: ArrayLike) -> NDArray[np.float64]:
        """Return where the plane of the picture cuts the tissue: see `through_plane`.

        Parameters
        ----------
        systole : array_like, shape (n_frames,)
            The course of contraction, 0 to 1.
        beats : array_like, shape (n_frames,)
            Time in beats.
        """
        away = np.arccos(1.0 - self.decorrelation) * np.asarray(systole, dtype=np.float64)
        drifted = np.arccos(1.0 - self.drift) * np.asarray(beats, dtype=np.float64)
        return np.asarray(away + drifted)


def draw_conditions(rng: np.random.Generator) -> Conditions:
    """Draw a recording as hard as clinical ones are; every loop has its own.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance; the same number is taken of it whatever is drawn.

    Returns
    -------
    Conditions
        Every loop has low contrast, noise and tissue that moves through the plane; a third has a
        shadow over the free wall, a third a gain that is turned, two fifths a shorter long axis, an
        eighth is mirrored, two fifths stand on a whole screen and a quarter has chroma noise.

    Examples
    --------
    >>> drawn = [draw_conditions(np.random.default_rng(number)) for number in range(400)]
    >>> sorted({one.layout for one in drawn}), all(one.look.contrast < 1 for one in drawn)
    (['', 'a', 'b', 'c'], True)
    """
    chance = rng.uniform(size=6)
    shadow = Shadow(
        middle_deg=float(rng.uniform(14.0, 30.0)),
        width_deg=float(rng.uniform(3.0, 6.0)),
        begins_mm=float(rng.uniform(10.0, 40.0)),
        loss_db=float(rng.uniform(10.0, 24.0)),
    )
    look = Look(
        dynamic_range_db=float(rng.uniform(48.0, 62.0)),
        white_db=float(rng.uniform(13.0, 22.0)),
        contrast=float(rng.uniform(0.65, 0.95)),
        attenuation_db=float(rng.uniform(0.4, 0.6)),
        slider_error_db=2.0,
        noise_db=float(rng.uniform(-30.0, -21.0)),
        haze_db=float(rng.uniform(0.0, 8.0)),
        haze_mm=float(rng.uniform(6.0, 14.0)),
        echoes_db=float(rng.uniform(-26.0, -16.0)),
        n_dropouts=int(rng.integers(0, 3)),
        dropout_db=float(rng.uniform(8.0, 16.0)),
        shadow=shadow if chance[0] < 0.35 else None,
    )
    gain_db = float(rng.choice([-1.0, 1.0]) * rng.uniform(2.0, 6.0))
    shorter = float(rng.uniform(0.78, 0.95))
    turned = float(rng.normal(0.0, 4.0))
    chroma_sd = float(rng.uniform(3.0, 8.0))
    layout = str(rng.choice(["a", "b", "c"]))
    return Conditions(
        look=look,
        blood_db=float(rng.uniform(-32.0, -14.0)),
        gain_db=gain_db if chance[1] < 0.35 else 0.0,
        gain_at=float(rng.uniform(0.15, 0.85)),
        decorrelation=float(rng.uniform(0.05, 0.5)),
        drift=float(rng.uniform(0.0, 0.2)),
        depth=float(rng.uniform(0.92, 1.2)),
        foreshortening=shorter if chance[2] < 0.4 else 1.0,
        turned_deg=turned,
        mirrored=bool(chance[3] < 0.125),
        jpeg_quality=int(rng.integers(60, 93)),
        chroma_sd=chroma_sd if chance[4] < 0.25 else 0.0,
        layout=layout if chance[5] < 0.4 else "",
    )


def renewed(
    amplitude: NDArray[np.float32], plane: ArrayLike, rng: np.random.Generator
) -> list[NDArray[np.float32]]:
    """Return the scatterers' strengths frame by frame as tissue moves through the plane.

    Every scatterer waxes and wanes with a phase of its own, so that as much leaves the plane as
    enters it. Speckle of two moments whose places in `plane` differ by d has a correlation of
    cos d; its brightness stays.

    Parameters
    ----------
    amplitude : ndarray, shape (n,)
        Reflectivity.
    plane : array_like, shape (n_frames,)
        Where the plane lies; see `Conditions.plane_course`.
    rng : numpy.random.Generator
        Draws the phases.

    Examples
    --------
    >>> made = renewed(np.ones(5000, np.float32), [0.0, np.pi / 3], np.random.default_rng(0))
    >>> round(float((made[0] * made[1]).mean()), 1)  # cos 60°
    0.5
    """
    phase = rng.uniform(0.0, 2.0 * math.pi, amplitude.size)
    ahead = (math.sqrt(2.0) * amplitude * np.cos(phase)).astype(np.float32)
    aside = (math.sqrt(2.0) * amplitude * np.sin(phase)).astype(np.float32)
    places = np.asarray(plane, dtype=np.float32)
    return [np.cos(place) * ahead - np.sin(place) * aside for place in places]
