"""What the refits came to, in words, tables and figures: a panel for each question."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cardio_core.report.figures.canvas import described
from cardio_core.report.panels.page import Panel
from cardio_core.report.words import listed, number, p_value
from cardio_core.runner.progress.words import several
from cardio_core.studies.stability.curve import DRAWS, Learned, curve_tables
from cardio_core.studies.stability.drawing import Strip, learning_figure, site_forest, strips
from cardio_core.studies.stability.permuting import Permuted, null_table
from cardio_core.studies.stability.repeats import Repeated, number_of, pairs_table, spread_table
from cardio_core.studies.stability.sites import BySite, site_table, whole_table

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
    for one in results:
        found.append(_repeats_in_words(one, titles, baselines))
        wide = one.wide()
        order = (one.measure.sign * wide.mean()).sort_values(ascending=False).index
        rows = [
            Strip(
                titles[m], wide[m].dropna().to_numpy(), one.own.get(m),
                (float(one.means[m].low or 0), float(one.means[m].high or 0))
                if m in one.means else None,
                m == one.primary,
            )
            for m in map(str, order)
        ]  # fmt: skip
        figures[f"repeats-{one.target.name}"] = described(
            strips(rows, x=one.measure.title, chance=one.measure.chance,
                   interval="95 % interval of the mean, of patients"),
            f"{one.measure.title} over {one.n} repeats",
            "A dot is the whole run on other folds. Where dots of two models overlap, the folds "
            "alone can decide which is ahead.",
        )  # fmt: skip
    notes = [_SHARED]
    if fixed:
        notes.insert(0, "The folds of this plan are fixed: repeats differ in random numbers alone.")
    for model, n in (results[0].unfitted if results else {}).items():
        notes.append(f"{titles[model]} could not be fitted in {several(n, 'repeat')}.")
    tables = {
        "repeats": pd.concat([spread_table(one, titles) for one in results]),
        "repeats-pairs": pd.concat([pairs_table(one, titles, baselines) for one in results]),
    }
    return Panel("repeats", "Other folds", (*found, *notes), _full(tables), figures)


def _repeats_in_words(one: Repeated, titles: Titles, baselines: set[str]) -> str:
    values = one.wide()[one.primary].dropna()
    mean = one.means.get(one.primary)
    best = one.best()
    first = str(best.idxmax())
    said = [
        f"{titles[one.primary]}: {one.measure.title} {number(one.own.get(one.primary))} in this "
        f"run, {number(values.mean())} on average over {len(values)} other divisions of the same "
        f"patients, from {number(values.min())} to {number(values.max())}"
    ]
    if mean is not None:
        said.append(f" (interval of the mean {number(mean.low)} to {number(mean.high)}, "
                    f"n = {mean.n} patients)")  # fmt: skip
    said.append(f". It is the best model in {number_of(best[one.primary])} of {one.n}")
    if first != one.primary:
        said.append(f"; most often best is {titles[first]}, in {number_of(best[first])}")
    said.append(".")
    others = sorted(baselines & set(one.wide().columns) - {one.primary})
    ahead = [f"{titles[other]} in {one.ahead(other)[0]}" for other in others]
    if ahead:
        said.append(f" Of {one.n} repeats it is ahead of {listed(ahead)}.")
    return "".join(said)


def permuted_panel(results: Sequence[Permuted], titles: Titles, *, same: bool) -> Panel:
    """Return the panel of the permutations."""
    found, figures, tables = [], {}, []
    for one in results:
        table = null_table(one, titles)
        tables.append(table)
        own = table[table["model"] == titles[one.primary]]
        if len(own):
            row = own.iloc[0]
            found.append(
                f"{titles[one.primary]}: {one.measure.title} {number(row['this run'])} in this "
                f"run; on {int(row['permutations'])} permutations of the labels "
                f"{number(row['null mean'])} on average, 95 % of them from "
                f"{number(row['null low'])} to {number(row['null high'])}; "
                f"{int(row['at least as good'])} are at least as good (p {_p(row['p'])})."
            )
        rows = [
            Strip(
                titles[m], one.nulls(m), value,
                tuple(table.loc[table["model"] == titles[m], ["null low", "null high"]].iloc[0])
                if (table["model"] == titles[m]).any() else None,
                m == one.primary,
            )
            for m, value in sorted(
                one.own.items(), key=lambda item: -one.measure.sign * item[1]
            )
        ]  # fmt: skip
        figures[f"permutations-{one.target.name}"] = described(
            strips(rows, x=one.measure.title, chance=one.measure.chance,
                   interval="95 % of the permutations"),
            f"{one.measure.title} on {one.n} permutations of the labels",
            "A dot is the whole run on labels that mean nothing; the run itself should stand to "
            "the right of them." if one.measure.sign > 0 else
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
    for one in results:
        found.append(_sites_in_words(one, titles))
        own = one.sites[one.sites["model"] == one.primary]
        whole = one.whole.get(one.primary)
        scaled = () if whole is None else tuple(
            one.scale(value) for value in
            (whole.mean, whole.low, whole.high, whole.predicted_low, whole.predicted_high)
        )  # fmt: skip
        figures[f"sites-{one.target.name}"] = described(
            site_forest(own, whole, scaled, x=one.measure.title, chance=one.measure.chance),
            f"{titles[one.primary]}, each site tested by a model of the others",
            "Lines are 95 % intervals. The diamond is the mean over sites; the last line is where "
            "the true value of one more site is expected.",
        )
    left = {site: why for one in results for site, why in one.left_out.items()}
    notes = [f"{site} is not tested: {why}." for site, why in left.items()]
    notes.append(
        "Areas are summed up as logits, other metrics as they are: a random-effects model by "
        "restricted maximum likelihood with Hartung and Knapp's interval; the expected range of a "
        "new site and the share of variation beyond chance (I²) go with it. With few sites all "
        "three are rough. A site is a site of this cohort: no other hospital was asked."
    )
    tables = {
        "sites": pd.concat([site_table(one, titles) for one in results]),
        "sites-together": pd.concat([whole_table(one, titles) for one in results]),
    }
    return Panel("sites", "Other sites", (*found, *notes), _full(tables), figures)


def _sites_in_words(one: BySite, titles: Titles) -> str:
    own = one.sites[one.sites["model"] == one.primary]
    if own.empty:
        return f"{titles[one.primary]} could be tested at no site."
    values = own["value"].to_numpy(float)
    low, high = own.iloc[int(values.argmin())], own.iloc[int(values.argmax())]
    said = (
        f"{titles[one.primary]}: {one.measure.title} from {number(low['value'])} at {low['site']} "
        f"(n = {low['patients']} patients) to {number(high['value'])} at {high['site']} "
        f"(n = {high['patients']}), each site tested by a model of the others"
    )
    whole = one.whole.get(one.primary)
    if whole is None:
        return f"{said}; fewer than three sites are not summed up."
    mean, at, to, new_at, new_to = (
        number(one.scale(v))
        for v in (whole.mean, whole.low, whole.high, whole.predicted_low, whole.predicted_high)
    )
    return (
        f"{said}; mean over {whole.k} sites {mean} (95 % interval {at} to {to}), expected at a "
        f"new site {new_at} to {new_to}; {100 * whole.i2:.0f} % of the variation between sites is "
        f"beyond chance (p of equal sites {_p(whole.p_value)})."
    )


def curve_panel(results: Sequence[Learned], titles: Titles) -> Panel:
    """Return the panel of the learning curve."""
    found, figures, points, gains = [], {}, [], []
    for one in results:
        table, steps = curve_tables(one, titles)
        points.append(table)
        gains.append(steps)
        own = one.gains[one.gains["model"] == one.primary]
        if len(own):
            last = own.iloc[-1]
            found.append(
                f"{titles[one.primary]}: from {int(last['from'])} to {int(last['to'])} patients "
                f"in training {one.measure.title} changes by "
                f"{number(last['gain'], signed=True)} (95 % interval "
                f"{number(last['low'], signed=True)} to {number(last['high'], signed=True)}), "
                "on the same tested patients."
            )
        figures[f"learning-curve-{one.target.name}"] = described(
            learning_figure(table, y=one.measure.title, primary=titles[one.primary],
                            chance=one.measure.chance),
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
    text = p_value(p)
    return text if text[0] in "<>" else f"= {text}"


def _full(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out tables without a row, and the target where there is only one."""
    kept = {}
    for name, table in tables.items():
        if not len(table):
            continue
        one = table.reset_index(drop=True)
        kept[name] = one.drop(columns="target") if len(set(one["target"])) == 1 else one
    return kept
