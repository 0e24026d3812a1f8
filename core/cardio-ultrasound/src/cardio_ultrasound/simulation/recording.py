"""What scanners print on a picture, and what identifies a patient: text and an ECG trace."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_ultrasound.colour import rgb_of_ybr
from cardio_ultrasound.simulation.b_mode import EchoScanner, Look, Shadow
from cardio_ultrasound.simulation.screens import SCREEN_LAYOUTS, TEXTS, draw_screen
from cardio_ultrasound.simulation.sector import Sector

_WHITE, _GREEN, _CURSOR = (255, 255, 255), (60, 230, 90), (255, 210, 60)


@dataclass(frozen=True)
class BurnIn:
    """A loop with print on it.

    `frames` is uint8, shape (n_frames, n_rows, n_columns) or (..., 3); `text` and `trace`, shape
    (n_rows, n_columns), say which pixels the text, and the trace with its cursor, touch in any
    frame.
    """

    frames: NDArray[np.uint8]
    text: NDArray[np.bool_]
    trace: NDArray[np.bool_]


def burn_in(
    frames: NDArray[np.uint8],
    lines: Sequence[str] = (),
    *,
    ecg_mv: ArrayLike | None = None,
    text_at: tuple[int, int] = (2, 2),
    font_px: int = 11,
    trace_rows: tuple[int, int] | None = None,
) -> BurnIn:
    """Print text and an ECG trace on every frame.

    Parameters
    ----------
    frames : ndarray, shape (n_frames, n_rows, n_columns) or (..., 3), uint8
        Grey or RGB; it is not changed. On RGB frames the trace is green.
    lines : sequence of str
        Text, a line each, such as a patient's name.
    ecg_mv : array_like, shape (n_samples,), optional
        The whole loop's ECG, drawn over the width of the picture; a cursor runs along it.
    text_at : tuple of int
        Row and column where the text begins.
    font_px : int
        Its height.
    trace_rows : tuple of int, optional
        First and last row of the trace; by default the lowest eighth.

    Returns
    -------
    BurnIn
        The loop, and which pixels were touched.

    Examples
    --------
    >>> dark = np.zeros((2, 64, 96), np.uint8)
    >>> printed = burn_in(dark, ["DOE^JANE"], ecg_mv=np.sin(np.arange(50.0)))
    >>> bool(printed.frames[:, printed.text].max() > 200), bool(printed.text[40:].any())
    (True, False)
    >>> touched = printed.text | printed.trace
    >>> bool((printed.frames[:, ~touched] == 0).all())
    True
    """
    n_frames, n_rows, n_columns = frames.shape[:3]
    printed = frames.copy()
    text = _text_cover((n_rows, n_columns), lines, text_at, font_px)
    _blend(printed, text, _WHITE)
    trace = np.zeros((n_rows, n_columns), np.bool_)
    if ecg_mv is not None:
        top, bottom = trace_rows or (n_rows - n_rows // 8, n_rows - 2)
        line = _trace_cover((n_rows, n_columns), np.asarray(ecg_mv, np.float64), top, bottom)
        _blend(printed, line, _GREEN)
        trace |= line > 0
        for number in range(n_frames):
            column = round((n_columns - 1) * number / max(n_frames - 1, 1))
            ink = np.array(_CURSOR) if printed.ndim == 4 else max(_CURSOR)
            printed[number, top : bottom + 1, column] = ink
            trace[top : bottom + 1, column] = True
    return BurnIn(printed, text > 0, trace)


def _text_cover(
    shape: tuple[int, int], lines: Sequence[str], at: tuple[int, int], font_px: int
) -> NDArray[np.uint8]:
    """Return how much of each pixel the text covers, 0 to 255."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("L", (shape[1], shape[0]))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(font_px)
    for number, line in enumerate(lines):
        draw.text((at[1], at[0] + number * (font_px + 2)), line, fill=255, font=font)
    return np.array(page, dtype=np.uint8)


def _trace_cover(
    shape: tuple[int, int], ecg_mv: NDArray[np.float64], top: int, bottom: int
) -> NDArray[np.uint8]:
    """Return how much of each pixel the trace covers, 0 to 255."""
    from PIL import Image, ImageDraw

    low, high = float(ecg_mv.min()), float(ecg_mv.max())
    height = (ecg_mv - low) / max(high - low, 1e-9)
    columns = np.linspace(0, shape[1] - 1, ecg_mv.size)
    rows = bottom - height * (bottom - top)
    page = Image.new("L", (shape[1], shape[0]))
    points = [(float(c), float(r)) for c, r in zip(columns, rows, strict=True)]
    ImageDraw.Draw(page).line(points, fill=255, width=1)
    return np.array(page, dtype=np.uint8)


def _blend(frames: NDArray[np.uint8], cover: NDArray[np.uint8], colour: tuple[int, ...]) -> None:
    """Paint a colour over the frames where `cover` says so, in place."""
    rows, columns = np.nonzero(cover)
    share = cover[rows, columns].astype(np.float32) / 255.0
    ink = np.array(colour, np.float32) if frames.ndim == 4 else np.float32(max(colour))
    if frames.ndim == 4:
        share = share[:, None]
    under = frames[:, rows, columns].astype(np.float32)
    frames[:, rows, columns] = np.rint(under + share * (ink - under)).astype(np.uint8)


# What a video codec leaves in the colours of a grey loop.

_BLOCK_PX = 16
_DIM = 40.0


def with_chroma_noise(
    frames: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    sd: float = 6.0,
    strokes_per_frame: float = 12.0,
    group: int = 8,
) -> NDArray[np.uint8]:
    """Give a loop the chroma noise of a coarse codec: blocks of two colours, and short strokes.

    A codec that spends its bits on brightness codes colour in blocks of 16 × 16, a few cosines
    each; what one picture got wrong stays until the next whole picture.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns) or (..., 3)
        Grey, or RGB, whose colours stay below the noise.
    rng : numpy.random.Generator
        Draws the noise.
    sd : float
        Standard deviation of a block's chroma, in levels of 255.
    strokes_per_frame : float
        Mean number of blocks whose chroma is far off along one row or column of the block.
    group : int
        Frames from one whole picture to the next.

    Returns
    -------
    ndarray of uint8, shape (n_frames, n_rows, n_columns, 3)
        RGB.

    Examples
    --------
    >>> grey = np.full((4, 64, 96), 90, np.uint8)
    >>> made = with_chroma_noise(grey, np.random.default_rng(0))
    >>> made.shape, bool(np.ptp(made, axis=-1).max() > 20)
    ((4, 64, 96, 3), True)
    """
    rgb = frames if frames.ndim == 4 else np.repeat(frames[..., None], 3, axis=-1)
    made = np.empty_like(rgb)
    n_rows, n_columns = rgb.shape[1:3]
    down, across = -(-n_rows // _BLOCK_PX), -(-n_columns // _BLOCK_PX)
    for number, frame in enumerate(rgb):
        if number % group == 0:
            blocks = sd * rng.standard_normal((2, down, across))
        noise = np.repeat(np.repeat(blocks, _BLOCK_PX, 1), _BLOCK_PX, 2)[:, :n_rows, :n_columns]
        noise = noise * rng.choice([0.7, 1.0, 1.3], size=(1, 1, 1))
        for _ in range(rng.poisson(strokes_per_frame)):
            top = _BLOCK_PX * int(rng.integers(down)) + int(rng.integers(_BLOCK_PX - 2))
            left = _BLOCK_PX * int(rng.integers(across))
            size = (2, _BLOCK_PX) if rng.random() < 0.5 else (_BLOCK_PX, 2)
            off = rng.choice([-1.0, 1.0], 2) * rng.uniform(40.0, 70.0, 2)
            noise[:, top : top + size[0], left : left + size[1]] += off[:, None, None]
        luma = frame @ np.array([0.299, 0.587, 0.114])
        own = np.stack([(frame[..., 2] - luma) / 1.772, (frame[..., 0] - luma) / 1.402])
        # Black is coded as black.
        noise = noise * np.minimum(luma / _DIM, 1.0)
        ybr = np.stack([luma, *(128 + own + noise)], axis=-1)
        made[number] = rgb_of_ybr(np.clip(np.rint(ybr), 0, 255).astype(np.uint8))
    return made


# How hard a loop is to read: what clinical recordings have that a clean phantom lacks.
#
# One draw a loop says how it looks, how the probe is held, and what the file went through. Nothing
# in it tells what the heart does, and all of it leaves the truth exact: what is drawn differently
# is drawn from the same motion, and where pixels move, points move with them (`OnScreen.place`).
#
# What real recordings have that these phantoms lack still: a heart in three dimensions (through-
# plane motion is a speckle pattern that changes, not another cut), lung that sweeps over the
# picture, persistence and speckle reduction by the scanner, side lobes, trabeculae, chordae,
# calcium and devices other than a lead, rhythms other than sinus rhythm with ectopic beats, a
# depth that is changed within a clip, screens upside down, zoomed or recorded off a monitor,
# contrast agent, and observers whose septal lines are off.

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
    >>> sorted({item.layout for item in drawn}), all(item.look.contrast < 1 for item in drawn)
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


def recorded(
    scanner: EchoScanner,
    places_mm: Iterable[NDArray[np.float32]],
    amplitude: NDArray[np.float32],
    held: Conditions | None,
    rng: np.random.Generator,
    *,
    systole: ArrayLike,
    beats: ArrayLike,
    time_s: ArrayLike,
) -> NDArray[np.uint8]:
    """Return the frames of moving scatterers, under the conditions of a recording where given.

    Parameters
    ----------
    scanner : EchoScanner
    places_mm : iterable of ndarray, shape (n, 2)
        One array a frame; see `advect`.
    amplitude : ndarray, shape (n,)
        Reflectivity.
    held : Conditions or None
        None is the clean phantom.
    rng : numpy.random.Generator
        Its next child draws what moves through the plane.
    systole, beats, time_s : array_like, shape (n_frames,)
        Contraction from 0 to 1, time in beats, and in s.
    """
    if held is None:
        return scanner.frames(places_mm, amplitude)
    strengths = renewed(amplitude, held.plane_course(systole, beats), rng.spawn(1)[0])
    frames = scanner.frames(places_mm, strengths, gain_db=held.gain_course_db(time_s))
    return frames[:, :, ::-1].copy() if held.mirrored else frames


_DARKER_DB, _NOISIER_DB = 6.0, 8.0


def darker(look: Look, shift: float) -> Look:
    """Return what a scanner with less gain and more noise shows, by 6 and 8 dB for a shift of 1."""
    return replace(
        look,
        white_db=look.white_db + _DARKER_DB * shift,
        noise_db=look.noise_db + _NOISIER_DB * shift,
    )


# A loop as its file holds it: mirrored, on a screen, through a codec; and where its points are.

Ecg = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class OnScreen:
    """What the file holds.

    Attributes
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns) or (..., 3)
        Grey, or RGB where print or a codec has colour.
    offset_px : tuple of int
        Rows and columns by which the picture was moved.
    """

    frames: NDArray[np.uint8]
    offset_px: tuple[int, int]

    def place(self, pixel: ArrayLike) -> NDArray[np.float64]:
        """Return where points (row, column) of the picture are, mirrored already if it is."""
        moved: NDArray[np.float64] = np.asarray(pixel, dtype=np.float64) + self.offset_px
        return moved


def mirrored_px(pixel: ArrayLike, sector: Sector) -> NDArray[np.float64]:
    """Return points (row, column) of a picture in its mirror image.

    Examples
    --------
    >>> mirrored_px([3.0, 0.0], Sector(n_columns=288)).tolist()
    [3.0, 287.0]
    """
    place = np.array(pixel, dtype=np.float64)
    place[..., 1] = sector.n_columns - 1 - place[..., 1]
    return place


def on_screen(
    frames: NDArray[np.uint8],
    time_s: NDArray[np.float64],
    sector: Sector,
    conditions: Conditions,
    rng: np.random.Generator,
    *,
    ecg: Ecg,
    r_times_ms: Sequence[float] = (),
    texts: Mapping[str, str] = TEXTS,
) -> OnScreen:
    """Draw the screen and the codec's noise of a recording.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        The picture, mirrored already if it is.
    time_s : ndarray, shape (n_frames,)
    sector : Sector
        Where it lies.
    conditions : Conditions
        Of them `layout` and `chroma_sd`.
    rng : numpy.random.Generator
        Draws the codec's noise.
    ecg : callable
        The voltage in mV at any time in ms.
    r_times_ms : sequence of float
        Beats that are marked.
    texts : mapping of str to str
        Name, number and hospital on the screen.

    Returns
    -------
    OnScreen
        Unchanged where there is neither screen nor noise.
    """
    offset = (0, 0)
    if conditions.layout:
        layout = SCREEN_LAYOUTS[conditions.layout]
        screen = draw_screen(
            frames, 1000.0 * time_s, sector, layout, ecg=ecg, r_times_ms=r_times_ms, texts=texts
        )
        frames = screen.frames
        offset = (
            round(screen.apex[0] - sector.apex_row),
            round(screen.apex[1] - sector.apex_column),
        )
    if conditions.chroma_sd:
        frames = with_chroma_noise(frames, rng, sd=conditions.chroma_sd)
    return OnScreen(frames, offset)
