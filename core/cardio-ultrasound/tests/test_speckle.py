"""The physics of the echo phantoms, held against the theory of speckle and against scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.stats import kstest

from cardio_ultrasound import (
    EchoScanner,
    Look,
    PointSpread,
    Sector,
    advect,
    burn_in,
    draw_scatterers,
)
from cardio_ultrasound.simulation.b_mode import SpeckleImager
from cardio_ultrasound.simulation.sector import ScanConverter

SECTOR = Sector(depth_mm=100.0, half_angle_deg=34.0, n_rows=200, n_columns=224)
SPREAD = PointSpread(focus_mm=60.0, reach_mm=60.0)
RAYLEIGH_SNR = np.sqrt(np.pi / (4 - np.pi))
"""Mean over standard deviation of the Rayleigh distribution: 1.913 (Burckhardt 1978)."""

FULL_WIDTH = 2 * np.sqrt(2 * np.log(2))
PLAIN = Look(slider_error_db=0.0, noise_db=-200.0, haze_db=-200.0, echoes_db=-200.0, n_dropouts=0)
"""Nothing but log compression."""


@pytest.fixture(scope="module")
def imager() -> SpeckleImager:
    return SpeckleImager(SECTOR, SPREAD)


@pytest.fixture(scope="module")
def speckle(imager: SpeckleImager) -> NDArray[np.complex64]:
    """Four independent envelopes of evenly filled tissue, shape (4, n_ranges, n_beams)."""
    return np.stack([envelope(imager, seed, per_cell=10.0) for seed in range(4)])


def envelope(imager: SpeckleImager, seed: int, per_cell: float) -> NDArray[np.complex64]:
    places = draw_scatterers(SECTOR, SPREAD, np.random.default_rng(seed), per_cell=per_cell)
    return imager.envelope(places, np.ones(len(places), np.float32))


def band(imager: SpeckleImager, low_mm: float, high_mm: float) -> tuple[slice, slice]:
    """Return the rows of a range of depths, and the beams away from the edges."""
    rows = np.flatnonzero((imager.range_mm >= low_mm) & (imager.range_mm < high_mm))
    beams = np.flatnonzero(np.abs(imager.angle_deg) < 30.0)
    return slice(rows[0], rows[-1] + 1), slice(beams[0], beams[-1] + 1)


@pytest.mark.parametrize("depths_mm", [(5, 35), (35, 65), (65, 95)])
def test_ten_scatterers_a_cell_give_rayleigh_statistics_at_every_depth(
    imager: SpeckleImager, speckle: NDArray[np.complex64], depths_mm: tuple[int, int]
) -> None:
    magnitude = np.abs(speckle[:, *band(imager, *depths_mm)])
    assert magnitude.mean() / magnitude.std() == pytest.approx(RAYLEIGH_SNR, abs=0.1)
    # Every eighth range and beam: about three widths apart, so nearly independent.
    sparse = magnitude[:, ::8, ::12].ravel()
    scale = np.sqrt((magnitude.astype(np.float64) ** 2).mean() / 2)
    assert kstest(sparse, "rayleigh", args=(0, scale)).pvalue > 0.01


def test_one_scatterer_a_cell_does_not(imager: SpeckleImager) -> None:
    magnitude = np.abs(envelope(imager, 0, per_cell=1.0)[band(imager, 5, 95)])
    assert magnitude.mean() / magnitude.std() < RAYLEIGH_SNR - 0.3


def test_the_mean_intensity_is_the_number_in_a_cell_at_every_depth(
    imager: SpeckleImager, speckle: NDArray[np.complex64]
) -> None:
    intensity = np.abs(speckle) ** 2
    means = [intensity[:, *band(imager, low, low + 18)].mean() for low in (5, 25, 45, 65, 81)]
    np.testing.assert_allclose(means, 10.0, rtol=0.15)


def neighbour_correlation(intensity: NDArray[np.float64], axis: int) -> float:
    """Correlate intensities one step apart, over all realisations."""
    away = intensity - intensity.mean()
    one = np.take(away, range(away.shape[axis] - 1), axis)
    other = np.take(away, range(1, away.shape[axis]), axis)
    return float((one * other).mean() / (away**2).mean())


def full_width(correlation: float, step: float) -> float:
    """Return the point spread's full width, from the intensity of speckle a step apart.

    The autocovariance of intensity is the squared modulus of the point spread's autocorrelation
    (Wagner 1983): for a Gaussian it has the point spread's own width.
    """
    return FULL_WIDTH * step / np.sqrt(-2 * np.log(correlation))


def test_speckle_is_as_long_as_the_point_spread(
    imager: SpeckleImager, speckle: NDArray[np.complex64]
) -> None:
    intensity = np.abs(speckle[:, *band(imager, 5, 95)].astype(np.complex128)) ** 2
    step = float(imager.range_mm[1] - imager.range_mm[0])
    assert full_width(neighbour_correlation(intensity, 1), step) == pytest.approx(0.6, rel=0.06)


@pytest.mark.parametrize(("depths_mm", "width_deg"), [((54, 66), 1.5), ((24, 36), 2.25)])
def test_speckle_is_as_wide_as_the_beam_which_is_narrowest_at_the_focus(
    imager: SpeckleImager,
    speckle: NDArray[np.complex64],
    depths_mm: tuple[int, int],
    width_deg: float,
) -> None:
    intensity = np.abs(speckle[:, *band(imager, *depths_mm)].astype(np.complex128)) ** 2
    step = float(imager.angle_deg[1] - imager.angle_deg[0])
    found = full_width(neighbour_correlation(intensity, 2), step)
    assert found == pytest.approx(width_deg, rel=0.1)


def test_a_point_is_as_large_as_stated_wherever_it_lies_on_the_grid(
    imager: SpeckleImager,
) -> None:
    step = float(imager.range_mm[1] - imager.range_mm[0])
    widths = []
    for shift in (0.0, 0.25, 0.5, 0.75):
        place = np.array([[0.0, 60.0 + shift * step]], np.float32)
        line = np.abs(imager.envelope(place, np.ones(1, np.float32))).max(axis=1)
        power = np.where(line > 0.01 * line.max(), line, 0.0).astype(np.float64)
        middle = (power * imager.range_mm).sum() / power.sum()
        assert middle == pytest.approx(60.0 + shift * step, abs=0.01)
        variance = (power * (imager.range_mm - middle) ** 2).sum() / power.sum()
        widths.append(FULL_WIDTH * np.sqrt(variance))
    assert np.mean(widths) == pytest.approx(0.6, rel=0.03)
    np.testing.assert_allclose(widths, 0.6, rtol=0.12)


def test_scatterers_outside_the_sector_or_behind_the_probe_do_not_count(
    imager: SpeckleImager,
) -> None:
    away = np.array([[0.0, 120.0], [90.0, 20.0], [0.0, -30.0]], np.float32)
    assert np.abs(imager.envelope(away, np.ones(3, np.float32))).max() == 0.0


def best_shift(before: NDArray[np.float64], after: NDArray[np.float64], reach: int) -> NDArray:
    """Return the shift in pixels, parts of them included, that makes two pictures most alike."""
    size = before.shape
    inner = before[reach : size[0] - reach, reach : size[1] - reach]
    score = np.zeros((2 * reach + 1, 2 * reach + 1))
    for row in range(2 * reach + 1):
        for column in range(2 * reach + 1):
            block = after[row : row + inner.shape[0], column : column + inner.shape[1]]
            score[row, column] = np.corrcoef(inner.ravel(), block.ravel())[0, 1]
    row, column = np.unravel_index(score.argmax(), score.shape)
    parts = []
    for line, at in ((score[:, column], row), (score[row], column)):
        left, middle, right = line[at - 1 : at + 2]
        parts.append(at - reach + 0.5 * (left - right) / (left - 2 * middle + right))
    return np.array(parts)


@pytest.mark.parametrize("moved_mm", [(0.0, 1.5), (2.4, 0.0), (-1.3, 0.8)])
def test_speckle_moves_with_the_tissue(moved_mm: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    places = draw_scatterers(SECTOR, SPREAD, rng)
    mode = np.broadcast_to(np.array(moved_mm, np.float32), (1, *places.shape))
    frames = (
        EchoScanner(SECTOR, rng, spread=SPREAD)
        .frames(advect(places, mode, [[0.0], [1.0]]), np.ones(len(places), np.float32))
        .astype(float)
    )
    # Below the probe, where range and angle are z and x.
    row, column = SECTOR.pixel_of([0.0, 60.0]).astype(int)
    block = (slice(row - 22, row + 23), slice(column - 22, column + 23))
    found_px = best_shift(frames[0][block], frames[1][block], reach=7)
    np.testing.assert_allclose(found_px[::-1] * SECTOR.spacing_mm, moved_mm, atol=0.15)


def test_an_m_mode_of_a_moving_wall_shows_its_displacement_within_half_a_millimetre() -> None:
    rng = np.random.default_rng(4)
    places = draw_scatterers(SECTOR, SPREAD, rng)
    wall = np.abs(places[:, 0]) < 4.5
    amplitude = np.where(wall, 1.0, 0.02).astype(np.float32)
    truth_mm = 4.0 * np.sin(np.linspace(0, 2 * np.pi, 24)) ** 3
    mode = np.zeros((1, *places.shape), np.float32)
    mode[0, :, 0] = 1.0
    frames = EchoScanner(SECTOR, rng).frames(advect(places, mode, truth_mm[:, None]), amplitude)
    # Across the beams, where resolution is worst.
    row = int(SECTOR.pixel_of([0.0, 70.0])[0])
    m_mode = frames[:, row - 3 : row + 4].astype(float).mean(axis=1)
    bright = np.maximum(m_mode - 60.0, 0.0)
    columns = np.arange(SECTOR.n_columns)
    found_mm = (bright @ columns) / bright.sum(axis=1) * SECTOR.spacing_mm
    error = (found_mm - found_mm[0]) - (truth_mm - truth_mm[0])
    assert np.sqrt((error**2).mean()) <= 0.5


def test_scan_conversion_agrees_with_scipy() -> None:
    rng = np.random.default_rng(5)
    ranges, angles = np.linspace(0.0, 104.0, 200), np.linspace(-36.0, 36.0, 90)
    polar = rng.uniform(0, 255, (200, 90)).astype(np.float32)
    picture = ScanConverter(SECTOR, ranges, angles)(polar)
    range_mm, angle_deg = SECTOR.polar_of_pixels()
    at = np.stack([range_mm / (ranges[1] - ranges[0]), (angle_deg + 36) / (angles[1] - angles[0])])
    oracle = np.where(SECTOR.mask(), map_coordinates(polar, at, order=1), 0.0)
    np.testing.assert_allclose(picture, oracle, atol=1e-2)


def test_nothing_shows_outside_the_sector_and_it_fits_the_picture() -> None:
    rng = np.random.default_rng(6)
    places = draw_scatterers(SECTOR, PointSpread(), rng)
    frames = EchoScanner(SECTOR, rng).frames([places, places], np.ones(len(places), np.float32))
    assert SECTOR.fits()
    assert frames[:, ~SECTOR.mask()].max() == 0
    assert (frames[:, SECTOR.mask()] > 0).mean() > 0.95
    first_row, first_column, last_row, last_column = SECTOR.box_px()
    # The tip lies between two columns, so that the first row with pixels is the one below it.
    assert (first_row, last_row) == (9, 8 + int(100.0 / 0.6))
    assert first_column + last_column == SECTOR.n_columns - 1


def beams_of(look: Look, amplitude: float, seed: int = 7) -> tuple[EchoScanner, NDArray]:
    rng = np.random.default_rng(seed)
    places = draw_scatterers(SECTOR, SPREAD, rng)
    scanner = EchoScanner(SECTOR, rng, spread=SPREAD, look=look)
    beams = next(scanner.beams([places], np.full(len(places), amplitude, np.float32)))
    return scanner, beams


def test_log_compression_shows_55_db_between_black_and_white() -> None:
    # A Rayleigh magnitude's mean level lies 2.507 dB below that of its mean intensity
    # (10/ln 10 times Euler's constant).
    middle = (slice(60, 340), slice(40, 110))
    for amplitude_db in (0.0, -10.0, -20.0):
        _, beams = beams_of(PLAIN, 10 ** (amplitude_db / 20))
        expected = 255 / 55 * (55 - 18 + amplitude_db - 2.507)
        assert beams[middle].mean() == pytest.approx(expected, abs=3.0)


def test_gain_compensates_attenuation_and_lifts_noise_with_depth() -> None:
    look = Look(slider_error_db=0.0, noise_db=0.0, haze_db=-200.0, echoes_db=-200.0, n_dropouts=0)
    scanner, quiet = beams_of(look, 0.0)
    rows = [int(np.abs(scanner.range_mm - depth).argmin()) for depth in (80.0, 95.0)]
    levels = [quiet[row - 8 : row + 9].mean() for row in rows]
    # .5 dB/cm/MHz at 2.5 MHz, there and back, over 1.5 cm: 3.75 dB of 55.
    assert levels[1] - levels[0] == pytest.approx(255 / 55 * 3.75, abs=3.0)


def test_shadows_haze_and_arcs_are_where_they_should_be_and_stand_still() -> None:
    looks = {
        "dropout_db": replace(PLAIN, n_dropouts=2, dropout_db=20.0),
        "haze_db": replace(PLAIN, haze_db=5.0),
        "echoes_db": replace(PLAIN, echoes_db=0.0),
    }
    scanner, plain = beams_of(PLAIN, 1.0)
    _, shadowed = beams_of(looks["dropout_db"], 1.0)
    darker = (plain - shadowed)[300:].mean(axis=0)
    assert darker.max() > 255 / 55 * 10
    assert np.abs(darker[np.abs(scanner.angle_deg) < 5]).max() < 255 / 55 * 2
    inner = np.abs(scanner.angle_deg) < 30
    near = (scanner.range_mm > 1) & (scanner.range_mm < 6)
    _, hazy = beams_of(looks["haze_db"], 0.01)
    assert hazy[near][:, inner].mean() > 150
    assert hazy[scanner.range_mm > 60].mean() < 20
    _, arcs = beams_of(looks["echoes_db"], 0.0)
    profile = arcs[:, np.abs(scanner.angle_deg) < 20].mean(axis=1)
    peaks = [row for row in range(5, 395) if profile[row] == profile[row - 5 : row + 6].max() > 60]
    spacing = np.diff(scanner.range_mm[peaks])
    assert len(peaks) >= 3
    assert 20.0 < np.median(spacing) < 36.0


def test_the_same_seed_gives_the_same_loop_and_another_does_not() -> None:
    def loop(seed: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng(seed)
        places = draw_scatterers(SECTOR, SPREAD, rng)
        return EchoScanner(SECTOR, rng).frames([places] * 2, np.ones(len(places), np.float32))

    first = loop(1)
    assert np.array_equal(first, loop(1))
    assert not np.array_equal(first, loop(2))
    # Tissue at rest: the speckle stays, only the noise is new.
    assert np.corrcoef(first[0].ravel(), first[1].ravel())[0, 1] > 0.995
    assert not np.array_equal(first[0], first[1])


def test_print_touches_the_pixels_it_says_and_no_others() -> None:
    frames = np.random.default_rng(8).integers(0, 90, (5, 80, 120), dtype=np.uint8)
    ecg = np.exp(-(((np.arange(200) % 100 - 50) / 4.0) ** 2))
    printed = burn_in(frames, ["DOE^JANE", "4C"], ecg_mv=ecg)
    touched = printed.text | printed.trace
    assert np.array_equal(printed.frames[:, ~touched], frames[:, ~touched])
    assert (printed.frames[:, printed.text].max(axis=1) == 255).all()
    assert printed.text[:30].any()
    assert not printed.text[30:].any()
    assert printed.trace[70:].any()
    assert not printed.trace[:69].any()
    colour = burn_in(np.repeat(frames[..., None], 3, axis=3), ["DOE^JANE", "4C"], ecg_mv=ecg)
    assert np.array_equal(colour.trace, printed.trace)
    trace = colour.frames[0][printed.trace].astype(int)
    assert (trace[:, 1] - trace[:, 0]).max() > 100
