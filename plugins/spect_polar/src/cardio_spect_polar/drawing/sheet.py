"""One sheet a study: the wall on its slices, polar maps, histogram, volumes, and the numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cardio_core.api import Case, FeatureSet, canvas
from cardio_spect_polar.drawing.charts import binned_histogram_figure, volume_curves, volume_figure
from cardio_spect_polar.drawing.polar_maps import SHADE, resize, study_maps
from cardio_spect_polar.phase.perfusion import REPEATS
from cardio_spect_polar.phase.sampling import CUTS, GATES, LONG_AXIS, N_PIXELS, SHORT_AXIS, QcView
from cardio_spect_polar.polar.segment_names import TERRITORIES

WITHHELD, UNKNOWN = "no verdict", "not known"
LIKE_NOISE = "not distinguishable from noise"
_VALUE, _UNIT = 0.43, 0.445
_PAIR = (0.0, 0.42, 0.55, 0.7, 0.72)


class Larger(str):
    """A difference that is larger than that of repeats."""

    __slots__ = ()

    def __new__(cls, text: str) -> Larger:
        """Return it with the star that a reader sees."""
        return super().__new__(cls, f"{text} *")


class Limit(Protocol):
    """What an index is in normal people, by one source."""

    @property
    def index(self) -> str:
        """The index."""

    @property
    def people(self) -> str:
        """Of whom."""

    @property
    def low(self) -> float:
        """The lower limit; minus infinity where there is none."""

    @property
    def high(self) -> float:
        """The upper limit; infinity where there is none."""

    @property
    def software(self) -> str:
        """By which software."""

    @property
    def source(self) -> str:
        """Who published it."""


def normal_range(limits: Sequence[Limit]) -> str:
    """Return what an index is in normal people, to stand behind its unit; empty without limits."""
    ranges = [
        f"{limit.people} {'≤ ' if math.isinf(limit.low) else f'{limit.low:.0f}–'}{limit.high:.0f}"
        for limit in limits
    ]
    return f" normal {', '.join(ranges)}" if ranges else ""


def numbers_table(rows: Sequence[tuple[str, str, str]]) -> canvas.Draw:
    """Return a function that writes (title, value, what follows it) below each other.

    Parameters
    ----------
    rows : sequence of (str, str, str)
        Values of `WITHHELD`, `UNKNOWN` and `LIKE_NOISE` are written in words where the number
        would stand.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set_axis_off()
        for n, (title, value, after) in enumerate(rows):
            y = 1 - (n + 0.5) / len(rows)
            missing = value in (WITHHELD, UNKNOWN, LIKE_NOISE)
            quiet = canvas.VERMILION if value == WITHHELD else canvas.GREY
            texts = (
                (0.0, title, "left", canvas.INK),
                (_UNIT, value, "left", quiet) if missing else (_VALUE, value, "right", canvas.INK),
                (_UNIT, "" if missing else after, "left", canvas.INK),
            )
            for x, text, side, colour in texts:
                axes.text(
                    x, y, text, transform=axes.transAxes, ha=side, va="center",
                    fontsize=canvas.TEXT_PT - 1, color=colour,
                    fontweight="bold" if side == "right" else "normal",
                ).set_in_layout(False)  # fmt: skip
            if n:
                axes.plot([0, 1], [1 - n / len(rows)] * 2, transform=axes.transAxes,
                          color=canvas.LIGHT, linewidth=0.6)  # fmt: skip

    return draw


def pair_table(rows: Sequence[tuple[str, str, str, str, str]]) -> canvas.Draw:
    """Return a function that writes two studies and their difference below each other.

    Parameters
    ----------
    rows : sequence of (str, str, str, str, str)
        Title, value at rest, value at stress, difference (`Larger` or not), and within what that
        repeats. A row of which only the title is filled is a sentence.
    """
    head = ("", "rest", "stress", "difference", "two studies of one heart agree within")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set_axis_off()
        for n, row in enumerate([head, *rows]):
            y = 1 - (n + 0.5) / (len(rows) + 1)
            for x, text, side in zip(_PAIR, row, ("left", *["right"] * 3, "left"), strict=True):
                quiet = text in (WITHHELD, UNKNOWN) or not n
                colour = canvas.GREY if quiet else canvas.INK
                axes.text(
                    x, y, text, transform=axes.transAxes, ha=side, va="center",
                    fontsize=canvas.TEXT_PT - 1 - quiet,
                    color=canvas.VERMILION if isinstance(text, Larger) else colour,
                    fontweight="bold" if side == "right" and n and not quiet else "normal",
                ).set_in_layout(False)  # fmt: skip
            if n:
                axes.plot([0, 1], [1 - n / (len(rows) + 1)] * 2, transform=axes.transAxes,
                          color=canvas.LIGHT, linewidth=0.6)  # fmt: skip

    return draw


def in_words(words: str) -> canvas.Draw:
    """Return a function that writes a sentence in place of a figure that cannot be drawn."""

    def draw(figure: Figure) -> None:
        figure.text(0.5, 0.5, words, ha="center", va="center", fontsize=canvas.TEXT_PT,
                    color=canvas.VERMILION)  # fmt: skip

    return draw


WIDTH_IN, HEIGHT_IN = 7.2, 3.1
BAR_MM = 20.0
GAMMA = 0.75
_LETTER: dict[str, Any] = {
    "fontsize": canvas.SMALL_PT, "color": "white", "ha": "center", "va": "center",
}  # fmt: skip
_ENDS = {
    "base": ("sept.", "lat.", "ant.", "inf."),
    "vertical": ("base", "apex", "ant.", "inf."),
    "horizontal": ("sept.", "lat.", "apex", "base"),
}
"""What lies left, right, above and below in a cut."""


def gate_slices(view: QcView, *, dot_pt: float = 2.5) -> canvas.Draw:
    """Return a function that draws a row a gate: three short-axis and two long-axis cuts.

    Parameters
    ----------
    view : QcView
        Its dots and the lines of endocardium and epicardium are drawn as they are, in that gate;
        its lines along the base in the long-axis cuts.
    dot_pt : float
        Size of the dots.
    """

    def draw(figure: Figure) -> None:
        resize(figure, WIDTH_IN, HEIGHT_IN)
        rooms = figure.subplots(2, len(CUTS))
        for gate, row in enumerate(rooms):
            for cut, axes in enumerate(row):
                _cut(axes, view, gate, cut, dot_pt)
            _row_label(row[0], f"{GATES[gate]}\ngate {view.slots[gate] + 1} of {view.n_slots}")
        for cut, name in enumerate(CUTS):
            kind = "short axis" if name in SHORT_AXIS else "long axis"
            words = f"{kind}, {name}" if name in SHORT_AXIS else f"{name} {kind}"
            rooms[0, cut].set_title(words, fontsize=canvas.SMALL_PT, color=canvas.INK, pad=3)
            if name in _ENDS:
                _letters(rooms[0, cut], *_ENDS[name])
        for cut in (0, len(SHORT_AXIS)):
            _scale_bar(rooms[1, cut], _pixel_mm(view, cut))

    return draw


def _cut(axes: Axes, view: QcView, gate: int, cut: int, dot_pt: float) -> None:
    picture = view.counts[gate, cut]
    # Faint walls are lifted: a dot on a defect is to be judged as well.
    axes.imshow(picture, cmap="gray", norm=PowerNorm(GAMMA, 0, 255), interpolation="bilinear")
    for edge in view.edges_mm[gate, cut]:
        x, y = _pixels(edge, view, cut).T
        axes.plot(x, y, "-", color=canvas.GREEN, linewidth=0.8, alpha=0.9)
    x, y = _pixels(view.dots_mm[gate, cut], view, cut).T
    # Dark rims: on a bright wall the dots would not be seen.
    axes.plot(x, y, "o", color=canvas.SKY, markersize=dot_pt, markeredgewidth=dot_pt / 5,
              markeredgecolor="black")  # fmt: skip
    if CUTS[cut] in LONG_AXIS:
        x, y = _pixels(view.base_mm[gate, cut - len(SHORT_AXIS)], view, cut).T
        axes.plot(x, y, "-", color=canvas.AMBER, linewidth=1.3)
    axes.set_xlim(-0.5, picture.shape[1] - 0.5)
    axes.set_ylim(picture.shape[0] - 0.5, -0.5)
    axes.set_axis_off()


def _pixel_mm(view: QcView, cut: int) -> float:
    return view.pixels_mm[cut >= len(SHORT_AXIS)]


def _pixels(points_mm: NDArray[np.floating], view: QcView, cut: int) -> NDArray[np.float64]:
    """Return places in the picture of points in mm from its middle, without the missing ones."""
    points = np.asarray(points_mm, np.float64)
    known = points[np.isfinite(points).all(axis=1)]
    return known / _pixel_mm(view, cut) + (N_PIXELS - 1) / 2


def _row_label(axes: Axes, words: str) -> None:
    """Write left of a row, upwards."""
    axes.annotate(
        words, (0, 0.5), xycoords="axes fraction", xytext=(-4, 0), textcoords="offset points",
        rotation=90, ha="right", va="center", multialignment="center",
        fontsize=canvas.SMALL_PT, color=canvas.INK,
    )  # fmt: skip


def _scale_bar(axes: Axes, pixel_mm: float) -> None:
    length, right = BAR_MM / pixel_mm, N_PIXELS - 4
    axes.plot([right - length, right], [N_PIXELS - 4] * 2, "-", color="white", linewidth=1.5,
              path_effects=SHADE)  # fmt: skip
    axes.text(right - length / 2, N_PIXELS - 8, f"{BAR_MM / 10:.0f} cm", path_effects=SHADE,
              **_LETTER)  # fmt: skip


def _letters(axes: Axes, left: str, right: str, top: str, bottom: str) -> None:
    """Write inside the picture which wall lies where."""
    for word, place, turn in ((left, (0.06, 0.5), 90), (right, (0.94, 0.5), 270),
                              (top, (0.5, 0.94), 0), (bottom, (0.5, 0.06), 0)):  # fmt: skip
        axes.text(
            *place, word, transform=axes.transAxes, rotation=turn, path_effects=SHADE, **_LETTER
        )


_WIDTH_IN = 11.4
_HEIGHTS_IN = (2.9, 2.95, 2.05)
_PAIR_IN = (2.75, 2.45, 2.45, 3.1)
WHAT_TO_SEE = (
    "Above, the heart in end-diastole and end-systole: the dots, the sampled middle of the wall, "
    "should lie on the wall in both, between the lines of endocardium and epicardium, and end at "
    "the line of the base. In the middle, polar maps on "
    "the same scales for every patient: phase (blue: earlier than the mean of normal hearts, "
    "orange: later), perfusion, and thickening (blue: thins). Below, the phase histogram with "
    "phase SD and bandwidth, and the volume curve: a narrow peak is a synchronous ventricle."
)
"""Caption of a sheet."""

RULE = (
    "of every fold, the studies whose wall was found with the least confidence, and those of the "
    "largest and the smallest phase SD: look whether the dots lie on the wall"
)

_NUMBERS = {
    "reliable_psd_deg": ("Phase SD, reliable samples", "{:.1f}", "°"),
    "reliable_pbw_deg": ("Bandwidth, reliable samples", "{:.0f}", "°"),
    "psd_deg": ("Phase SD, all samples", "{:.1f}", "°"),
    "pbw_deg": ("Bandwidth, all samples", "{:.0f}", "°"),
    "psd_corrected_deg": ("Phase SD, noise off", "{:.1f}", "°"),
    "entropy": ("Phase entropy", "{:.2f}", ""),
    "peak_deg": ("Peak phase", "{:.0f}", "°"),
    "lvef_spect_pct": ("Ejection fraction", "{:.0f}", "%"),
    "lvedv_spect_ml": ("End-diastolic volume", "{:.0f}", "mL"),
    "lvesv_spect_ml": ("End-systolic volume", "{:.0f}", "mL"),
    "base_descent_mm": ("Descent of the base", "{:.1f}", "mm"),
    "scar_pct": ("Perfusion below 50 %", "{:.0f}", "% of the wall"),
}
"""Numbers of the table: title, format, and unit."""

_PAIR_NUMBERS = (
    "reliable_psd_deg", "reliable_pbw_deg", "psd_deg", "pbw_deg", "lvef_spect_pct",
    "lvedv_spect_ml", "lvesv_spect_ml", "scar_pct",
)  # fmt: skip
"""Of the table of a pair."""

ASSUMED = "assumed: anterior is above and septal is left, as the file stores the slices"
"""The sides are the file's; where the heart contradicts them, a flag says so."""

NO_LIMITS = "SSS, SRS, SDS: withheld, for no normal limits were given (--perfusion-limits FILE)"
NO_OWN_LIMITS = (
    "SSS, SRS, SDS: withheld, for the limits given are of another sex or state, or not of all "
    "segments"
)


@dataclass(frozen=True)
class _Study:
    """What a sheet is drawn from."""

    arrays: Mapping[str, NDArray[Any]]
    numbers: Mapping[str, float]
    flags: tuple[str, ...]
    limits: Sequence[Limit]
    changes: Mapping[str, float]
    withheld: bool = False

    def number(self, name: str) -> float:
        """Return an index; NaN where there is none of that name."""
        return float(self.numbers.get(name, math.nan))

    def limits_of(self, name: str) -> list[Limit]:
        """Return the published limits that an index was compared with."""
        within = self.arrays["normal_limits"]
        return [
            limit
            for limit, held in zip(self.limits, within, strict=True)
            if limit.index == name and np.isfinite(held)
        ]

    @property
    def missing(self) -> str:
        """What is written for a number that is not there."""
        return WITHHELD if self.withheld else UNKNOWN


def study_cases(features: FeatureSet, n_cases: int, limits: Sequence[Limit]) -> list[Case]:
    """Return sheets of the studies that a reader should check first.

    Parameters
    ----------
    features : FeatureSet
        Of one fold's tested patients.
    n_cases : int
        How many: in turn the least confident wall, the largest and the smallest phase SD.
    limits : sequence of Limit
        Those of the block ``normal_limits``, in its order.

    Returns
    -------
    list of Case
        With the scores `psd_deg`, `pbw_deg`, `lvef_spect_pct` and `wall_confidence`.
    """
    values = _indices(features)
    ranked = np.stack([
        np.argsort(values["wall_confidence"], kind="stable"),
        np.argsort(-values["psd_deg"], kind="stable"),
        np.argsort(values["psd_deg"], kind="stable"),
    ])  # fmt: skip
    chosen = list(dict.fromkeys(int(i) for i in ranked.T.ravel()))[:n_cases]
    return [_case(features, _study(features, values, i, limits), i) for i in chosen]


def _case(features: FeatureSet, study: _Study, position: int) -> Case:
    shown = ("psd_deg", "pbw_deg", "lvef_spect_pct", "wall_confidence")
    scores = {name: study.number(name) for name in shown}
    phases = f"Phase SD {scores['psd_deg']:.1f}°, bandwidth {scores['pbw_deg']:.0f}°"
    volume = f"EF {scores['lvef_spect_pct']:.0f} %"
    title = ", ".join([
        phases if math.isfinite(scores["psd_deg"]) else "No verdict on the phases",
        volume if math.isfinite(scores["lvef_spect_pct"]) else "no verdict on the volumes",
        f"wall found with confidence {scores['wall_confidence']:.2f}",
    ])  # fmt: skip
    title += "".join(f"; {flag}" for flag in study.flags)
    return Case(
        sample_id=str(features.table.index[position]),
        title=title,
        caption=WHAT_TO_SEE,
        arrays={name: study.arrays[name] for name in ("phase", "perfusion", "thickening")},
        scores={name: value for name, value in scores.items() if math.isfinite(value)},
        draw=_sheet(study),
    )


def measured_study(features: FeatureSet, limits: Sequence[Limit]) -> canvas.Draw:
    """Return a function that draws the sheet of the one study that was measured.

    Parameters are those of `study_cases`.
    """
    return _sheet(_study(features, _indices(features), 0, limits))


_ARRAYS = (
    "phase", "perfusion", "thickening", "segment_phase", "segment_perfusion", "histogram",
    "normal_limits", "volume_curve", "state", "qc_counts", "qc_dots", "qc_edges", "qc_base",
    "qc_about",
)  # fmt: skip


def _study(
    features: FeatureSet,
    values: dict[str, NDArray[np.float64]],
    position: int,
    limits: Sequence[Limit],
) -> _Study:
    change = features.blocks.get("change")
    row = features.table.iloc[position]
    reasons = _parts(row.get("no_verdict"))
    flags = (*(f"no verdict: {reason}" for reason in reasons), *_parts(row.get("flags")))
    return _Study(
        {name: np.asarray(features[name].values[[position]])[0] for name in _ARRAYS},
        {name: float(found[position]) for name, found in values.items()},
        flags,
        limits,
        {}
        if change is None
        else dict(zip(change.names, change.in_units([position])[0].tolist(), strict=True)),
        withheld=bool(reasons) or bool(row.get("volumes_withheld")),
    )


def _parts(cell: object) -> tuple[str, ...]:
    return tuple(filter(None, str(cell or "").split("; ")))


def _indices(features: FeatureSet) -> dict[str, NDArray[np.float64]]:
    block = features["indices"]
    values = np.asarray(block.in_units(), np.float64)
    return {name: values[:, place] for place, name in enumerate(block.names)}


def measured_pair(
    features: FeatureSet, rest: int, stress: int, limits: Sequence[Limit]
) -> canvas.Draw:
    """Return a function that draws rest and stress of one patient on one sheet.

    Parameters
    ----------
    features : FeatureSet
        Of the patient.
    rest, stress : int
        The rows of the two studies.
    limits : sequence of Limit
        As for `study_cases`.
    """
    values = _indices(features)
    studies = [_study(features, values, row, limits) for row in (rest, stress)]
    scores = features.blocks.get("scores")
    summed = None if scores is None else scores.values[[rest, stress], 0].astype(float)
    rows = _pair_rows(studies[0], studies[1], summed)
    curves = {
        name: study.arrays["volume_curve"]
        for name, study in zip(("rest", "stress"), studies, strict=True)
    }

    def draw(figure: Figure) -> None:
        resize(figure, _WIDTH_IN, sum(_PAIR_IN))
        rooms: Any = figure.subfigures(4, 1, height_ratios=_PAIR_IN, hspace=0.01)
        above, *middle, below = rooms
        for room, study, name in zip(above.subfigures(1, 2, wspace=0.02), studies,
                                     ("at rest", "at stress"), strict=True):  # fmt: skip
            gate_slices(_view(study), dot_pt=1.2)(room)
            room.suptitle(name, fontsize=canvas.TEXT_PT, fontweight="bold", color=canvas.INK)
        for room, study, name in zip(middle, studies, ("at rest", "at stress"), strict=True):
            maps, histogram = room.subfigures(1, 2, width_ratios=(7.9, 3.5), wspace=0.01)
            _maps(study)(maps)
            _histogram(study, limits=False)(histogram)
            room.suptitle(name, x=0.01, ha="left", fontsize=canvas.TEXT_PT, fontweight="bold",
                          color=canvas.INK)  # fmt: skip
        left, right = below.subfigures(1, 2, width_ratios=(3.9, 7.5), wspace=0.02)
        volume_curves(curves)(left)
        pair_table(rows)(right)

    return draw


def _pair_rows(
    rest: _Study, stress: _Study, summed: NDArray[np.float64] | None
) -> list[tuple[str, str, str, str, str]]:
    """Return the table of a pair: both values, their difference, and what repeats of it."""
    rows: list[tuple[str, str, str, str, str]] = []
    for name in _PAIR_NUMBERS:
        title, form, unit = _NUMBERS[name]
        early, late = rest.number(name), stress.number(name)
        rows.append((
            title, _cell(early, form, unit, rest.missing), _cell(late, form, unit, stress.missing),
            *_against(late - early, unit, REPEATS.get(name)),
        ))  # fmt: skip
    changes = stress.changes
    for artery, segments in TERRITORIES.items():
        change = changes.get(f"{artery}_perfusion_change_pct", math.nan)
        shared = [
            study.arrays["segment_perfusion"][np.array(segments) - 1] for study in (rest, stress)
        ]
        known = np.isfinite(shared).all(axis=0)
        at_rest, at_stress = (
            _cell(float(one[known].mean()) if known.any() else math.nan, "{:.0f}", "%", UNKNOWN)
            for one in shared
        )
        title = f"Perfusion, {artery.upper()} territory"
        rows.append(
            (title, at_rest, at_stress, *_against(change, " points", REPEATS["perfusion_pct"]))
        )
    ratio, within = changes.get("tid_ratio", math.nan), REPEATS["tid_ratio"]
    dilated = UNKNOWN
    if math.isfinite(ratio):
        dilated = Larger(f"{ratio:.2f}") if abs(ratio - 1) > within else f"{ratio:.2f}"
    rows.append(("Dilatation (TID): mean volume, stress / rest", "", "", dilated,
                 f"{1 - within:.2f} to {1 + within:.2f}"))  # fmt: skip
    if summed is None:
        rows.append((NO_LIMITS, "", "", "", ""))
    elif not np.isfinite(summed).all():
        rows.append((NO_OWN_LIMITS, "", "", "", ""))
    else:
        early, late = summed.tolist()
        rows.append(("Summed scores (SRS, SSS, SDS)", f"{early:.0f}", f"{late:.0f}",
                     *_against(late - early, "", None, "{:.0f}")))  # fmt: skip
    rows.append((ASSUMED, "", "", "", ""))
    return rows


def _cell(value: float, form: str, unit: str, missing: str) -> str:
    return f"{form.format(value)}{_short(unit)}" if math.isfinite(value) else missing


def _short(unit: str) -> str:
    unit = unit.split(" of ")[0]
    return unit if unit in ("", "°") or unit.startswith(" ") else f" {unit}"


def _against(
    change: float, unit: str, repeats: float | None, form: str = "{:.1f}"
) -> tuple[str, str]:
    """Return a difference, and within what two studies of one heart agree.

    It has a decimal more than most values, so that it is not read as their error of rounding.
    """
    if not math.isfinite(change):
        return "", ""
    unit = _short(" points" if unit.startswith("%") else unit)
    shown = form.format(abs(change))
    sign = "" if float(shown) == 0 else "−" if change < 0 else "+"
    text = f"{sign}{shown}{unit}"
    if repeats is None:
        return text, ""
    return Larger(text) if abs(change) > repeats else text, f"±{form.format(repeats)}{unit}"


def _view(study: _Study) -> QcView:
    arrays = study.arrays
    short_mm, long_mm, *gates, _ = (float(value) for value in arrays["qc_about"])
    diastole, systole, n_slots = map(round, gates)
    return QcView(
        arrays["qc_counts"], (short_mm, long_mm), (diastole, systole), n_slots,
        arrays["qc_dots"], arrays["qc_edges"], arrays["qc_base"],
    )  # fmt: skip


def _convention(study: _Study) -> Literal["peak", "onset"]:
    return "onset" if study.arrays["qc_about"][-1] else "peak"


def _maps(study: _Study) -> canvas.Draw:
    arrays = study.arrays
    return study_maps(
        arrays["phase"], arrays["perfusion"], arrays["thickening"], convention=_convention(study)
    )


def _histogram(study: _Study, *, limits: bool = True) -> canvas.Draw:
    if not np.isfinite(study.arrays["histogram"]).all():
        return in_words("No verdict on the phases of this study.\nThe flags say why.")
    return binned_histogram_figure(
        study.arrays["histogram"],
        psd_deg=study.number("psd_deg"), pbw_deg=study.number("pbw_deg"),
        convention=_convention(study),
        **{f"normal_{name}": max((limit.high for limit in study.limits_of(name)), default=None)
           for name in ("psd_deg", "pbw_deg") if limits},
    )  # fmt: skip


def _sheet(study: _Study) -> canvas.Draw:
    view = _view(study)
    volumes = in_words("No verdict on the volumes of this study.\nThe flags say why.")
    if np.isfinite(study.arrays["volume_curve"]).all():
        volumes = volume_figure(
            study.arrays["volume_curve"], ef_pct=study.number("lvef_spect_pct"),
            gates=(*view.slots, view.n_slots),
        )  # fmt: skip
    return study_sheet(
        gate_slices(view), numbers_table(_rows(study)), _maps(study), _histogram(study), volumes
    )


def _rows(study: _Study) -> list[tuple[str, str, str]]:
    """Return the table of numbers: title, value, and what follows it."""
    at_stress = float(study.arrays["state"][0])
    rows = [("Study at", "stress" if at_stress else "rest", "")] if at_stress in (0, 1) else []
    for name, (title, form, unit) in _NUMBERS.items():
        value = study.number(name)
        after = unit + normal_range(study.limits_of(name))
        if name == "psd_corrected_deg" and study.number("above_noise") == 0:
            rows.append((title, LIKE_NOISE, ""))
            continue
        rows.append((title, form.format(value) if math.isfinite(value) else study.missing, after))
    compared = [limit for name in _NUMBERS for limit in study.limits_of(name)]
    if compared:
        source = f"normal: mean ± 2 SD by {compared[0].software} ({compared[0].source})"
        rows.append((source, "", ""))
    rows.append((ASSUMED, "", ""))
    return rows


def study_sheet(
    slices: canvas.Draw,
    numbers: canvas.Draw,
    maps: canvas.Draw,
    histogram: canvas.Draw,
    volumes: canvas.Draw,
) -> canvas.Draw:
    """Return a function that draws the parts of one study's sheet, on a page lying on its side.

    Parameters
    ----------
    slices, numbers, maps, histogram, volumes : callable
        As `gate_slices`, `numbers_table`, `study_maps`, `binned_histogram_figure` and
        `volume_figure` return them: slices and numbers above, maps in the middle, the curves below.
    """

    def draw(figure: Figure) -> None:
        resize(figure, _WIDTH_IN, sum(_HEIGHTS_IN))
        parts: Any = figure.subfigures(3, 1, height_ratios=_HEIGHTS_IN, hspace=0.02)
        above, middle, below = parts
        rooms = above.subfigures(1, 2, width_ratios=(7.0, 4.4), wspace=0.02)
        slices(rooms[0])
        numbers(rooms[1])
        maps(middle)
        rooms = below.subfigures(1, 2, width_ratios=(7.0, 4.4), wspace=0.02)
        histogram(rooms[0])
        volumes(rooms[1])

    return draw
