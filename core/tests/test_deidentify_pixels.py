"""What is left of a loop's pixels: the sector, unchanged, and no glyph or trace."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file

from cardio_core.ultrasound import fit_sector, read_loop, write_us_loop
from cardio_core.ultrasound.deidentify.files import deidentify_folder
from cardio_core.ultrasound.deidentify.pixels import kept_frames, look_inside
from cardio_core.ultrasound.loops.loop import Loop
from cardio_core.ultrasound.readers.arrays import ArraySource

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
        untouched = new.any(axis=-1)
        assert np.abs(new.astype(int) - old)[untouched].max() == 0
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
    ("colour", "photometric", "at_most"),
    # In YBR_FULL_422 every other pixel has its neighbour's colour: thin lines lose their own.
    [(True, "RGB", 0.0), (True, "YBR_FULL_422", 0.05), (False, "MONOCHROME2", 0.05)],
)
def test_the_trace_and_its_cursor_go_inside_the_sector_as_well(
    tmp_path, colour, photometric, at_most
):
    clean, printed = made.speckle(), made.printed(made.speckle(), colour=colour)
    truth = made.SECTOR.mask()
    assert (printed.trace & truth).sum() > 300
    after = deidentified(tmp_path, printed.frames, photometric=photometric).stack()
    shown = printed.frames if not colour else printed.frames.max(axis=-1)
    for new, old, with_ink in zip(after, clean, shown, strict=True):
        ink = printed.trace & (np.abs(with_ink.astype(int) - old) > 20)
        assert ink.sum() > 100
        assert (new[ink] > 0).mean() <= at_most
        # Elsewhere the tissue stays.
        assert ((new > 0) & truth).sum() > 0.9 * ((old > 0) & truth).sum()


def test_white_text_over_tissue_goes_where_the_tissue_moves(tmp_path):
    printed = made.printed(made.speckle(n_frames=12), colour=False, text_at=(60, 110))
    over = printed.text & made.SECTOR.mask()
    after = deidentified(tmp_path, printed.frames).stack()
    assert over.sum() > 300
    ink = over & (printed.frames.min(axis=0) > 200)
    assert (after[:, ink] > 0).mean() < 0.25
    assert np.mean([likeness(printed.frames, word) for word in WORDS]) > 0.8
    assert max(likeness(after, word) for word in WORDS) < 0.6


def test_what_lies_in_the_sector_is_written_without_loss(tmp_path):
    clean = made.speckle()
    printed = made.printed(clean, colour=False).frames
    after = deidentified(tmp_path, printed).stack()
    kept = after > 0
    assert kept.mean(axis=(1, 2)).min() > 0.9 * (clean * made.SECTOR.mask() > 0).mean()
    assert np.array_equal(after[kept], printed[kept])


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


def test_tissue_that_stands_still_amid_moving_tissue_is_no_print():
    frames = made.speckle(n_frames=12).copy()
    frames[:, 60:130, 150:190] = frames[0, 60:130, 150:190]
    times = np.arange(12) * 20.0
    loop = Loop("akinetic", ArraySource(frames), 12, frames.shape[1:], times, "stated")
    kept = look_inside(loop, made.SECTOR.mask())
    assert kept.n_print_px < 0.01 * 70 * 40


def test_a_still_loop_is_flagged_as_print_inside_cannot_be_told_from_it():
    frames = np.repeat(made.speckle(n_frames=8)[:1], 8, axis=0)
    times = np.arange(8) * 20.0
    loop = Loop("still", ArraySource(frames), 8, frames.shape[1:], times, "stated")
    kept = look_inside(loop, made.SECTOR.mask())
    assert kept.n_print_px == 0
    assert "could not be told" in kept.flags[0]


def peak_bytes(n_copies: int) -> int:
    frames = np.tile(made.speckle(), (n_copies, 1, 1))
    times = np.arange(len(frames)) * 20.0
    loop = Loop("long", ArraySource(frames), len(frames), frames.shape[1:], times, "stated")
    sector = made.SECTOR.mask()
    tracemalloc.start()
    kept = look_inside(loop, sector)
    assert sum(1 for _ in kept_frames(loop, kept)) == len(frames)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_loop_of_eightfold_length_is_cleaned_in_the_same_memory():
    assert peak_bytes(8) < 1.1 * peak_bytes(1)
