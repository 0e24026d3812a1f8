"""What is left of a loop's pixels: the sector, unchanged, and no glyph or trace."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file
from scipy import ndimage

from cardio_ultrasound import fit_sector, read_loop, write_us_loop
from cardio_ultrasound.colour import grey_of_rgb
from cardio_ultrasound.deidentify.files import deidentify_folder
from cardio_ultrasound.deidentify.pixels import cleaned_frames, look_inside
from cardio_ultrasound.deidentify.tissue import coloured_print
from cardio_ultrasound.loop import Loop
from cardio_ultrasound.readers.arrays import ArraySource
from cardio_ultrasound.simulation.recording import with_chroma_noise

from . import printed_loops as made

GLYPHS = sorted(set("".join(made.LINES).replace(" ", "")) - set("^-"))
WORDS = ("DOE", "JANE", "1961", "4711")


def deidentified(folder: Path, frames: np.ndarray, **options) -> Loop:
    """Write frames as DICOM, de-identify the folder, and open what came out."""
    source = folder / "in"
    source.mkdir()
    options.setdefault("photometric", "YBR_FULL_422" if frames.ndim == 4 else "MONOCHROME2")
    write_us_loop(source / "a.dcm", frames, frame_rate_hz=50, mm_per_pixel=(0.6, 0.6), **options)
    answer = deidentify_folder(source, folder / "out")
    return read_loop(folder / "out" / answer["loops"][0]["file"])


def glyph(text: str) -> np.ndarray:
    """Render text as the scanner of the phantom does, cut to its ink."""
    page = Image.new("L", (40 * len(text), 40))
    font = ImageFont.load_default(made.FONT_PX)
    ImageDraw.Draw(page).text((8, 8), text, fill=255, font=font)
    return np.array(page.crop(page.getbbox()))


def likeness(frames: np.ndarray, text: str) -> float:
    """Return the highest normalised correlation of rendered text with any place of any frame."""
    template = np.pad(glyph(text), 1)
    found = [cv2.matchTemplate(frame, template, cv2.TM_CCOEFF_NORMED) for frame in frames[::3]]
    return float(np.nan_to_num(np.stack(found), posinf=0, neginf=0).max())


@pytest.mark.parametrize(
    ("colour", "options"),
    [
        (True, {}),
        (True, {"compression": "jpeg"}),
        (True, {"photometric": "RGB", "compression": "rle"}),
        (False, {}),
        (False, {"photometric": "PALETTE COLOR"}),
    ],
    ids=["ybr_422", "jpeg", "rle", "grey", "palette"],
)
def test_no_energy_is_left_outside_the_sector_in_any_frame(tmp_path, colour, options):
    frames = made.printed(made.speckle(), colour=colour).frames
    loop = deidentified(tmp_path, frames, **options)
    truth = made.SECTOR.mask()
    assert frames[:, ~truth].any(axis=1 if not colour else (1, 2)).all()
    for frame in loop.frames(colour=True):
        assert not frame[~truth].any()
        assert frame[truth].any()


def test_no_energy_is_left_outside_the_sector_of_the_real_loop_of_pydicom(tmp_path):
    path = Path(get_testdata_file("examples_ybr_color.dcm"))
    answer = deidentify_folder(path, tmp_path / "out")
    before, after = read_loop(path), read_loop(tmp_path / "out" / answer["loops"][0]["file"])
    mask = fit_sector(before).mask()
    assert after.n_frames == before.n_frames == 30
    seen = np.zeros(before.size, np.bool_)
    for old, new in zip(before.frames(colour=True), after.frames(colour=True), strict=True):
        assert not new[~mask].any()
        assert old[~mask].any()
        seen |= new.any(axis=-1)
        assert np.array_equal(grey_of_rgb(new)[mask], grey_of_rgb(old)[mask])
    # Print stands left of column 42, right of 298 and below row 208, the region's own borders.
    assert not seen[:, :42].any()
    assert not seen[:, 298:].any()
    assert not seen[208:].any()


@pytest.mark.parametrize("colour", [True, False], ids=["rgb", "grey"])
def test_no_glyph_of_the_burned_in_text_survives(tmp_path, colour):
    printed = made.printed(made.speckle(), colour=colour)
    before = printed.frames.max(axis=-1) if colour else printed.frames
    after = deidentified(tmp_path, printed.frames).stack()
    assert not after[:, printed.text].any()
    rows, columns = (np.flatnonzero(printed.text.any(axis=axis)) for axis in (1, 0))
    there = (slice(None), slice(0, rows[-1] + 3), slice(0, columns[-1] + 3))
    for text in (*WORDS, *GLYPHS):
        assert likeness(before[there], text) > 0.8, text
        assert likeness(after[there], text) < 0.5, text
    for word in WORDS:  # single glyphs are like speckle by chance, words are not
        assert likeness(after, word) < 0.6, word


@pytest.mark.parametrize(
    ("colour", "photometric", "missed"),
    # In YBR_FULL_422 every other pixel has its neighbour's colour: thin lines lose their own.
    [(True, "RGB", 0.0), (True, "YBR_FULL_422", 0.05), (False, "MONOCHROME2", 0.05)],
)
def test_the_trace_and_its_cursor_go_inside_the_sector_as_well(
    tmp_path, colour, photometric, missed
):
    clean, printed = made.speckle(), made.printed(made.speckle(), colour=colour)
    truth = made.SECTOR.mask()
    inside = ndimage.binary_erosion(truth, iterations=2)
    around = ndimage.binary_dilation(printed.trace | printed.text, iterations=4)
    assert (printed.trace & truth).sum() > 300
    after = deidentified(tmp_path, printed.frames, photometric=photometric).stack()
    shown = printed.frames if not colour else printed.frames.max(axis=-1)
    source = read_loop(tmp_path / "in" / "a.dcm")
    kept, decoded = look_inside(source, fit_sector(source).mask()), source.frames(colour=True)
    for new, old, with_ink, rgb in zip(after, clean, shown, decoded, strict=True):
        ink = printed.trace & (np.abs(with_ink.astype(int) - old) > 20)
        assert ink.sum() > 100
        assert (ink & inside & ~kept.print_in(rgb)).sum() <= missed * (ink & inside).sum()
        # Of what the print changed, little is left, as much as speckle is like print by chance;
        # elsewhere the tissue is what it was.
        left = (new.astype(int) - old)[ink & inside] / (with_ink.astype(int) - old)[ink & inside]
        assert (np.abs(left) > 0.8).mean() <= 0.1
        assert np.array_equal(new[inside & ~around], old[inside & ~around])


def test_white_text_over_tissue_goes_where_the_tissue_moves(tmp_path):
    printed = made.printed(made.speckle(n_frames=12), colour=False, text_at=(60, 110))
    over = printed.text & made.SECTOR.mask()
    after = deidentified(tmp_path, printed.frames).stack()
    assert over.sum() > 300
    ink = over & (printed.frames.min(axis=0) > 200)
    assert (np.abs(after[:, ink].astype(int) - printed.frames[:, ink]) < 20).mean() < 0.25
    assert np.mean([likeness(printed.frames, word) for word in WORDS]) > 0.8
    assert max(likeness(after, word) for word in WORDS) < 0.6


def test_what_lies_in_the_sector_is_written_without_loss(tmp_path):
    clean = made.speckle()
    printed = made.printed(clean, colour=False).frames
    after = deidentified(tmp_path, printed).stack()
    inside = ndimage.binary_erosion(made.SECTOR.mask(), iterations=2)
    cover = made.printed(clean, colour=False)
    inside &= ~ndimage.binary_dilation(cover.trace | cover.text, iterations=4)
    assert inside.sum() > 0.8 * made.SECTOR.mask().sum()
    assert np.array_equal(after[:, inside], printed[:, inside])


def test_grey_loops_stored_in_colour_come_out_grey_and_coloured_ones_in_colour(tmp_path):
    clean = made.speckle()
    for name, frames in (("grey", made.printed(clean).frames), ("sepia", sepia(clean))):
        folder = tmp_path / name
        folder.mkdir()
        loop = deidentified(folder, frames, photometric="RGB")
        assert loop.source.pixels.photometric == {"grey": "MONOCHROME2", "sepia": "RGB"}[name]


def sepia(frames: np.ndarray) -> np.ndarray:
    return np.stack([frames, frames * 0.9, frames * 0.7], axis=-1).astype(np.uint8)


def test_flow_inside_the_sector_stays_and_outside_it_goes(tmp_path):
    frames = np.repeat(made.speckle()[..., None], 3, axis=-1)
    rows, columns = np.indices(frames.shape[1:3])
    box = made.SECTOR.mask() & (rows > 100) & (rows < 180) & (columns > 90) & (columns < 180)
    frames[:, box] = (30, 60, 220)
    frames[:, 60:160, 270:280] = (220, 30, 30)  # the colour scale
    frames[:, 150, 140:143] = (230, 40, 20)
    loop = deidentified(tmp_path, frames, photometric="RGB", colour_data_present=True)
    assert loop.colour_doppler
    after = loop.stack(colour=True)
    assert np.array_equal(after[:, box], frames[:, box])
    assert not after[:, ~made.SECTOR.mask()].any()


@pytest.mark.parametrize(
    ("sd", "strokes"), [pytest.param(6.0, 12.0, marks=pytest.mark.slow), (10.0, 30.0)]
)
def test_what_a_codec_leaves_in_the_colours_of_a_grey_loop_is_no_print(tmp_path, sd, strokes):
    """Found on real clips: flickering black bars in the myocardium of 118 of 120 frames."""
    rng = np.random.default_rng(1)
    noisy = with_chroma_noise(made.speckle(n_frames=16), rng, sd=sd, strokes_per_frame=strokes)
    assert np.median([coloured_print(frame).sum() for frame in noisy]) > 200
    loop = deidentified(tmp_path, noisy, photometric="RGB")
    inside = ndimage.binary_erosion(made.SECTOR.mask(), iterations=2)
    assert loop.source.pixels.photometric == "MONOCHROME2"
    assert np.array_equal(loop.stack()[:, inside], grey_of_rgb(noisy)[:, inside])


def test_a_trace_goes_amid_the_noise_of_a_codec_and_nothing_else(tmp_path):
    clean = made.speckle(n_frames=16)
    printed = made.printed(clean)
    noisy = with_chroma_noise(printed.frames, np.random.default_rng(2))
    after = deidentified(tmp_path, noisy, photometric="RGB").stack()
    inside = ndimage.binary_erosion(made.SECTOR.mask(), iterations=2)
    changed = (after != grey_of_rgb(noisy)) & inside
    around = ndimage.binary_dilation(printed.trace | printed.text, iterations=4)
    ink = np.abs(printed.frames.max(axis=-1).astype(int) - clean) > 20
    assert changed[ink & printed.trace & inside].mean() > 0.9
    assert changed[:, inside & ~around].mean() < 0.005


def test_motion_is_the_same_before_and_after(tmp_path):
    """A wall of known excursion under the trace: its M-mode is what it was."""
    cover, rows = made.printed(made.speckle(n_frames=16)), np.arange(256)[:, None]
    wall = 150 + 12 * np.sin(2 * np.pi * np.arange(16) / 16)
    shown = cover.frames.astype(float)
    for number, middle in enumerate(wall):
        bright = (np.abs(rows - middle) < 8) & ~cover.trace & made.SECTOR.mask()
        shown[number][bright] = 220
    noisy = with_chroma_noise(shown.astype(np.uint8), np.random.default_rng(3))
    after = deidentified(tmp_path, noisy, photometric="RGB").stack()

    def excursion(frames):
        column = frames[:, 90:205, 130:150].mean(axis=2)
        place = (column * np.arange(90, 205)).sum(axis=1) / column.sum(axis=1)
        return np.ptp(place)

    assert excursion(after) > 2
    assert abs(excursion(after) - excursion(grey_of_rgb(noisy))) < 0.05


def test_tissue_that_stands_still_amid_moving_tissue_is_no_print():
    frames = made.speckle(n_frames=12).copy()
    frames[:, 60:130, 150:190] = frames[0, 60:130, 150:190]
    times = np.arange(12) * 20.0
    loop = Loop("akinetic", ArraySource(frames), 12, frames.shape[1:], times, "stated")
    kept = look_inside(loop, made.SECTOR.mask())
    assert kept.n_still_px < 0.01 * 70 * 40


def test_a_still_loop_is_flagged_as_print_inside_cannot_be_told_from_it():
    frames = np.repeat(made.speckle(n_frames=8)[:1], 8, axis=0)
    times = np.arange(8) * 20.0
    loop = Loop("still", ArraySource(frames), 8, frames.shape[1:], times, "stated")
    kept = look_inside(loop, made.SECTOR.mask())
    assert kept.n_still_px == 0
    assert "could not be distinguished" in kept.flags[0]


def peak_bytes(n_copies: int) -> int:
    frames = np.tile(made.speckle(), (n_copies, 1, 1))
    times = np.arange(len(frames)) * 20.0
    loop = Loop("long", ArraySource(frames), len(frames), frames.shape[1:], times, "stated")
    sector = made.SECTOR.mask()
    tracemalloc.start()
    kept = look_inside(loop, sector)
    assert sum(1 for _ in cleaned_frames(loop, kept)) == len(frames)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_loop_of_eightfold_length_is_cleaned_in_the_same_memory():
    assert peak_bytes(8) < 1.1 * peak_bytes(1)
