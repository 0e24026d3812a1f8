"""What the refits came to, in words, tables and figures: a panel for each question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cardio_core.report import Panel
from cardio_stats import RandomEffects
from cardio_stats.figures.canvas import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    SMALL_PT,
    TEXT_PT,
    VERMILION,
    Draw,
    colour_of,
    described,
    quiet_axes,
    width_in,
    wrapped,
)
from cardio_stats.words import counted, listed, number, p_text
from cardio_studies.left_out_sites import BySite, site_table, whole_table
from cardio_studies.refits import (
    DRAWS,
    Learned,
    Permuted,
    Repeated,
    curve_tables,
    null_table,
    number_of,
    pairs_table,
    spread_table,
)

# Figures of the stability panel: strips of refits, sites in a forest, the learning curve.

_LABEL_IN, _PLOT_IN, _ROW_IN = 2.4, 4.8, 0.34


@dataclass(frozen=True)
class Strip:
    """One model: a dot a refit, the run's own value, and an interval."""

    title: str
    dots: np.ndarray
    own: float | None
    interval: tuple[float, float] | None = None
    primary: bool = False


def strips(rows: Sequence[Strip], *, x: str, chance: float | None, interval: str) -> Draw:
    """Draw what each model reached over refits, one line a model.

    `interval` says in the key what the bar is.
    """

    def draw(figure: Figure) -> None:
        labels = [wrapped(row.title, _LABEL_IN, TEXT_PT) for row in rows]
        left = max(width_in(line, TEXT_PT, "bold") for lines in labels for line in lines) + 0.2
        figure.set_size_inches(left + _PLOT_IN, 0.95 + _ROW_IN * len(rows))
        axes = figure.subplots()
        if chance is not None:
            axes.axvline(chance, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        for y, row in enumerate(rows):
            _strip(axes, row, y)
        _lines(axes, labels, [row.primary for row in rows])
        quiet_axes(axes, x=x, grid="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        words = (("●", GREY, "one refit"), ("◆", BLUE, "the run itself"), ("━", INK, interval))
        at = 0.0
        for mark, colour, text in words:
            axes.annotate(
                f"{mark} {text}", xy=(0, 1), xycoords="axes fraction", xytext=(at, 5),
                textcoords="offset points", fontsize=SMALL_PT, color=colour,
                annotation_clip=False,
            )  # fmt: skip
            at += 72 * width_in(f"{mark} {text}", SMALL_PT) + 14

    return draw


def _strip(axes: Axes, row: Strip, y: int) -> None:
    n = len(row.dots)
    # Dots of equal height would hide each other; the same dots always lie alike.
    jitter = (np.random.default_rng(0).permutation(n) + 0.5) / max(n, 1) - 0.5
    axes.plot(row.dots, y + 0.42 * jitter - 0.04, "o", color=GREY, markersize=3, alpha=0.55,
              markeredgewidth=0, zorder=2)  # fmt: skip
    if row.interval is not None:
        axes.plot(row.interval, [y + 0.3, y + 0.3], color=INK, linewidth=1.6, zorder=3,
                  solid_capstyle="butt")  # fmt: skip
    if row.own is not None:
        axes.plot([row.own], [y - 0.04], "D", color=BLUE, markersize=5.5, zorder=4,
                  markeredgewidth=0, clip_on=False)  # fmt: skip


def _lines(axes: Axes, labels: Sequence[Sequence[str]], bold: Sequence[bool]) -> None:
    axes.set_yticks(range(len(labels)), ["\n".join(lines) for lines in labels])
    for text, strong in zip(axes.get_yticklabels(), bold, strict=True):
        text.set_fontweight("bold" if strong else "normal")
        text.set_multialignment("right")
    axes.set_ylim(len(labels) - 0.45, -0.55)
    for between in range(1, len(labels)):
        axes.axhline(between - 0.5, color=LIGHT, linewidth=0.7, zorder=0)


def site_forest(
    sites: pd.DataFrame,
    whole: RandomEffects | None,
    scaled: Sequence[float],
    *,
    x: str,
    chance: float | None,
) -> Draw:
    """Draw one model by site, with the summary over sites and what a new site may have.

    Parameters
    ----------
    sites : DataFrame
        Columns site, patients, events, value, low, high.
    whole : RandomEffects or None
    scaled : sequence of float
        Mean, low, high, predicted low and predicted high on the metric's own scale.
    x : str
        Name of the metric.
    chance : float or None
    """

    def draw(figure: Figure) -> None:
        rows = sites.sort_values("value", ascending=False, kind="stable")
        n_lines = len(rows) + (2 if whole is not None else 0)
        sizes = [
            f"{site['site']} (n = {site['patients']}"
            + ("" if pd.isna(site["events"]) else f", {int(site['events'])} with")
            + ")"
            for site in rows.to_dict("records")
        ]
        labels = [*sizes, *(["All sites, mean", "A new site, expected"] if whole else [])]
        left = max(width_in(label, TEXT_PT) for label in labels) + 0.2
        figure.set_size_inches(left + _PLOT_IN, 0.7 + 0.3 * n_lines)
        axes = figure.subplots()
        if chance is not None:
            axes.axvline(chance, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        for y, site in enumerate(rows.to_dict("records")):
            if not pd.isna(site["low"]):
                axes.plot([site["low"], site["high"]], [y, y], color=BLUE, linewidth=1.5)
            axes.plot([site["value"]], [y], "s", color=BLUE, markersize=5, clip_on=False)
        if whole is not None:
            mean, low, high, new_low, new_high = scaled
            y = len(rows)
            axes.fill([low, mean, high, mean], [y, y - 0.24, y, y + 0.24], color=INK, zorder=3)
            axes.plot([new_low, new_high], [y + 1, y + 1], color=VERMILION, linewidth=2.2)
            axes.axhline(y - 0.5, color=LIGHT, linewidth=0.9)
        axes.set_yticks(range(n_lines), labels)
        axes.set_ylim(n_lines - 0.4, -0.6)
        quiet_axes(axes, x=x, grid="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)

    return draw


def learning_figure(points: pd.DataFrame, *, y: str, primary: str, chance: float | None) -> Draw:
    """Draw each model's metric against the patients that it was trained on.

    Parameters
    ----------
    points : DataFrame
        As `curve_tables` makes it: model, patients in training, value, low, high, patients tested.
    y : str
        Name of the metric.
    primary : str
        The model that is drawn broad.
    chance : float or None
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(7.2, 3.6)
        axes = figure.subplots()
        if chance is not None:
            axes.axhline(chance, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        models = list(dict.fromkeys(points["model"]))
        for place, model in enumerate(models):
            own = points[points["model"] == model]
            # Side by side, so that intervals at one number of patients do not hide each other.
            at = own["patients in training"].to_numpy(float) * (
                1 + 0.02 * (place - (len(models) - 1) / 2)
            )
            wide = 2.2 if model == primary else 1.1
            colour = colour_of(place)
            axes.plot(at, own["value"], "o-", color=colour, markersize=4, linewidth=wide,
                      label=model)  # fmt: skip
            axes.vlines(at, own["low"], own["high"], color=colour, linewidth=1.1, alpha=0.7)
        sizes = np.unique(points["patients in training"])
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
        axes.set_xticks([], minor=True)
        n_tested = int(points["patients tested"].max())
        quiet_axes(axes, x=f"patients in training ({n_tested} tested, always the same)", y=y)
        axes.legend(fontsize=SMALL_PT, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))

    return draw


Titles = dict[str, str]

_SHARED = (
    "Repeats share their patients: the interval draws patients, each with all repeats, so more "
    "repeats steady the mean and do not narrow it. The spread over repeats is what the choice of "
    "folds and random numbers does, and no error of sampling."
)
_EXACT = (
    "Labels were given to other patients before anything that sees them: the folds, the search, "
    "epochs, thresholds and fusion weights were made anew each time. p counts permutations at "
    "least as good as the run, itself among them; the smallest that N permutations can give is "
    "1/(N + 1). The p-values of several models are not adjusted; the best of them has its own row."
)


def repeats_panel(
    results: Sequence[Repeated], titles: Titles, baselines: set[str], *, fixed: bool
) -> Panel:
    """Return the panel of the repeats."""
    found, figures = [], {}
    for result in results:
        found.append(_repeats_in_words(result, titles, baselines))
        wide = result.wide()
        order = (result.measure.sign * wide.mean()).sort_values(ascending=False).index
        rows = [
            Strip(
                titles[m], wide[m].dropna().to_numpy(), result.own.get(m),
                (float(result.means[m].low or 0), float(result.means[m].high or 0))
                if m in result.means else None,
                m == result.primary,
            )
            for m in map(str, order)
        ]  # fmt: skip
        figures[f"repeats-{result.target.name}"] = described(
            strips(rows, x=result.measure.title, chance=result.measure.chance,
                   interval="95 % interval of the mean, of patients"),
            f"{result.measure.title} over {result.n} repeats",
            "A dot is the whole run on other folds. Where dots of two models overlap, the folds "
            "alone can decide which is ahead.",
        )  # fmt: skip
    notes = [_SHARED]
    if fixed:
        notes.insert(0, "The folds of this plan are fixed: repeats differ in random numbers alone.")
    for model, n in (results[0].unfitted if results else {}).items():
        notes.append(f"{titles[model]} could not be fitted in {counted(n, 'repeat')}.")
    tables = {
        "repeats": pd.concat([spread_table(result, titles) for result in results]),
        "repeats-pairs": pd.concat([pairs_table(result, titles, baselines) for result in results]),
    }
    return Panel("repeats", "Other folds", (*found, *notes), _full(tables), figures)


def _repeats_in_words(result: Repeated, titles: Titles, baselines: set[str]) -> str:
    values = result.wide()[result.primary].dropna()
    mean = result.means.get(result.primary)
    best = result.best()
    first = str(best.idxmax())
    pieces = [
        f"{titles[result.primary]}: {result.measure.title} "
        f"{number(result.own.get(result.primary))} in this run, {number(values.mean())} "
        f"on average over {len(values)} other divisions of the same patients, from "
        f"{number(values.min())} to {number(values.max())}"
    ]
    if mean is not None:
        pieces.append(f" (interval of the mean {number(mean.low)} to {number(mean.high)}, "
                    f"n = {mean.n} patients)")  # fmt: skip
    pieces.append(f". It is the best model in {number_of(best[result.primary])} of {result.n}")
    if first != result.primary:
        pieces.append(f"; most often best is {titles[first]}, in {number_of(best[first])}")
    pieces.append(".")
    others = sorted(baselines & set(result.wide().columns) - {result.primary})
    ahead = [f"{titles[other]} in {result.ahead(other)[0]}" for other in others]
    if ahead:
        pieces.append(f" Of {result.n} repeats it is ahead of {listed(ahead)}.")
    return "".join(pieces)


def permuted_panel(results: Sequence[Permuted], titles: Titles, *, same: bool) -> Panel:
    """Return the panel of the permutations."""
    found, figures, tables = [], {}, []
    for result in results:
        table = null_table(result, titles)
        tables.append(table)
        own = table[table["model"] == titles[result.primary]]
        if len(own):
            row = own.iloc[0]
            found.append(
                f"{titles[result.primary]}: {result.measure.title} {number(row['this run'])} in "
                f"this run; on {int(row['permutations'])} permutations of the labels "
                f"{number(row['null mean'])} on average, 95 % of them from "
                f"{number(row['null low'])} to {number(row['null high'])}; "
                f"{int(row['at least as good'])} are at least as good (p {_p(row['p'])})."
            )
        rows = [
            Strip(
                titles[m], result.nulls(m), value,
                tuple(table.loc[table["model"] == titles[m], ["null low", "null high"]].iloc[0])
                if (table["model"] == titles[m]).any() else None,
                m == result.primary,
            )
            for m, value in sorted(
                result.own.items(), key=lambda item: -result.measure.sign * item[1]
            )
        ]  # fmt: skip
        figures[f"permutations-{result.target.name}"] = described(
            strips(rows, x=result.measure.title, chance=result.measure.chance,
                   interval="95 % of the permutations"),
            f"{result.measure.title} on {result.n} permutations of the labels",
            "A dot is the whole run on labels that mean nothing; the run itself should stand to "
            "the right of them." if result.measure.sign > 0 else
            "A dot is the whole run on labels that mean nothing; the run itself should stand to "
            "the left of them.",
        )  # fmt: skip
    notes = [_EXACT]
    if same:
        notes.append(
            "The folds are those of the earlier task on the same patients, which does not see "
            "these labels; they stayed as they were."
        )
    return Panel(
        "permutations", "Permuted labels", (*found, *notes),
        _full({"permutations": pd.concat(tables)}), figures,
    )  # fmt: skip


def sites_panel(results: Sequence[BySite], titles: Titles) -> Panel:
    """Return the panel of the sites."""
    found, figures = [], {}
    for result in results:
        found.append(_sites_in_words(result, titles))
        own = result.sites[result.sites["model"] == result.primary]
        whole = result.whole.get(result.primary)
        scaled = () if whole is None else tuple(
            result.scale(value) for value in
            (whole.mean, whole.low, whole.high, whole.predicted_low, whole.predicted_high)
        )  # fmt: skip
        figures[f"sites-{result.target.name}"] = described(
            site_forest(own, whole, scaled, x=result.measure.title, chance=result.measure.chance),
            f"{titles[result.primary]}, each site tested by a model of the others",
            "Lines are 95 % intervals. The diamond is the mean over sites; the last line is where "
            "the true value of one more site is expected.",
        )
    left = {site: why for result in results for site, why in result.left_out.items()}
    notes = [f"{site} is not tested: {why}." for site, why in left.items()]
    notes.append(
        "Areas are summed up as logits, other metrics as they are: a random-effects model by "
        "restricted maximum likelihood with Hartung and Knapp's interval; the expected range of a "
        "new site and the share of variation beyond chance (I²) go with it. With few sites all "
        "three are rough. A site is a site of this cohort: no other hospital was asked."
    )
    tables = {
        "sites": pd.concat([site_table(result, titles) for result in results]),
        "sites-together": pd.concat([whole_table(result, titles) for result in results]),
    }
    return Panel("sites", "Other sites", (*found, *notes), _full(tables), figures)


def _sites_in_words(result: BySite, titles: Titles) -> str:
    own = result.sites[result.sites["model"] == result.primary]
    if own.empty:
        return f"{titles[result.primary]} could be tested at no site."
    values = own["value"].to_numpy(float)
    low, high = own.iloc[int(values.argmin())], own.iloc[int(values.argmax())]
    sentence = (
        f"{titles[result.primary]}: {result.measure.title} from {number(low['value'])} at "
        f"{low['site']} (n = {low['patients']} patients) to {number(high['value'])} at "
        f"{high['site']} (n = {high['patients']}), each site tested by a model of the others"
    )
    whole = result.whole.get(result.primary)
    if whole is None:
        return f"{sentence}; fewer than three sites are not summed up."
    mean, at, to, new_at, new_to = (
        number(result.scale(v))
        for v in (whole.mean, whole.low, whole.high, whole.predicted_low, whole.predicted_high)
    )
    return (
        f"{sentence}; mean over {whole.k} sites {mean} (95 % interval {at} to {to}), expected at a "
        f"new site {new_at} to {new_to}; {100 * whole.i2:.0f} % of the variation between sites is "
        f"beyond chance (p of equal sites {_p(whole.p_value)})."
    )


def curve_panel(results: Sequence[Learned], titles: Titles) -> Panel:
    """Return the panel of the learning curve."""
    found, figures, points, gains = [], {}, [], []
    for result in results:
        table, steps = curve_tables(result, titles)
        points.append(table)
        gains.append(steps)
        own = result.gains[result.gains["model"] == result.primary]
        if len(own):
            last = own.iloc[-1]
            found.append(
                f"{titles[result.primary]}: from {int(last['from'])} to {int(last['to'])} patients "
                f"in training {result.measure.title} changes by "
                f"{number(last['gain'], signed=True)} (95 % interval "
                f"{number(last['low'], signed=True)} to {number(last['high'], signed=True)}), "
                "on the same tested patients."
            )
        figures[f"learning-curve-{result.target.name}"] = described(
            learning_figure(table, y=result.measure.title, primary=titles[result.primary],
                            chance=result.measure.chance),
            "Learning curve",
            "The last point is the run itself; the others were fitted on shares of its training "
            "patients, "
            f"of each class alike, {DRAWS} draws each.",
        )  # fmt: skip
    notes = (
        "Folds and tested patients are those of the run. Everything that is chosen within "
        "training is chosen from the smaller sets, fusion weights included; an earlier task on "
        "the same patients keeps its models. The curve says nothing beyond its last point.",
    )
    tables = {"learning-curve": pd.concat(points), "learning-gains": pd.concat(gains)}
    return Panel("curve", "Fewer patients", (*found, *notes), _full(tables), figures)


def _p(p: float) -> str:
    text = p_text(p)
    return text if text[0] in "<>" else f"= {text}"


def _full(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out tables without a row, and the target where there is only one."""
    full = {}
    for name, table in tables.items():
        if not len(table):
            continue
        shown = table.reset_index(drop=True)
        full[name] = shown.drop(columns="target") if len(set(shown["target"])) == 1 else shown
    return full
