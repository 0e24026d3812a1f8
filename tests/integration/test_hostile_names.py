"""Whatever a name in data is, a command writes into its own folder, or refuses in one line.

With ``CARDIO_STORE=1`` the slow test of this file puts what it counted into the stored results of
docs/results/hostile.md.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from cardio_core.testing import every_command

from .hostile import FEW, NAMES, SMALL, Site, Use, is_id, is_path

ROOT = Path(__file__).parents[2]
BENCHMARKS, STORED = ROOT / "benchmarks", ROOT / "docs" / "results" / "hostile.json"

# What each command that writes is given where nothing is hostile. OUT stands for what it writes.
Words = Callable[[Site, Path], Sequence[object]]
STATS = {
    "table1": "--by ill --columns x,risk --patient id",
    "missing": "--outcome ill",
    "univariable": "--outcome ill --features x,risk",
    "multivariable": "--outcome ill --features x,risk",
    "incremental": "--outcome ill --base x --add risk",
    "roc": "--outcome ill --score risk",
    "compare": "--outcome ill --scores risk,x",
    "agreement": "--reference x --measured risk",
    "calibration": "--outcome ill --score risk",
    "mixed": "--outcome x --columns risk --patient who",
    "subgroups": "--outcome ill --exposure x --by died",
    "survival": "--time time --status died --groups ill",
}
DRAWN = {"univariable", "multivariable", "roc", "compare", "agreement", "calibration", "subgroups",
         "survival"}  # fmt: skip


def stats(name: str) -> Words:
    """Return a command of statistics that writes whatever it can write."""

    def words(site: Site, out: Path) -> Sequence[object]:
        drawn = ["--svg", out / "f.svg"] if name in DRAWN else []
        out.mkdir()
        return ["stats", name, site.table(), *STATS[name].split(), "--csv", out / "t.csv",
                "--html", out / "t.html", "--tex", out / "t.tex", *drawn]  # fmt: skip

    return words


COMMANDS: dict[str, Words] = {
    "run": lambda site, out: ["run", *SMALL, "--data", site.data, "--dry-run", "--out", out],
    "predict": lambda site, out: ["predict", site.run, site.one, "--out", out],
    "measure": lambda site, out: ["measure", "--plugin", "toy", site.one, "--executor", "local:1",
                                  "--no-sheets", "--out", out],
    "judge": lambda site, out: ["judge", site.table(), "--outcome", "ill", "--patient", "id",
                                "--score", "risk", "--out", out],
    "compare": lambda site, out: ["compare", f"a={site.table()}", f"b={site.table()}", "--outcome",
                                  "ill", "--patient", "id", "--score", "risk", "--out", out],
    "evaluate": lambda site, out: ["evaluate", site.run, "--data", site.others, "--out", out],
    "fuse": lambda site, out: ["fuse", f"a={site.run}", f"b={site.again}", "--out", out],
    "stability": lambda site, out: ["stability", site.run, "--repeats", "2", "--executor",
                                    "local:1", "--out", out],
    "export": lambda site, out: ["export", site.run, "--out", out],
    "reproduce": lambda site, out: ["reproduce", site.run, "--dry-run", "--executor", "local:1",
                                    "--out", out],
    "report": lambda site, out: ["report", site.copied(site.run, out)],
    "data deidentify": lambda site, out: ["data", "deidentify", site.loops("loop"), out],
    "data synth": lambda site, out: ["data", "synth", "toy", "--patients", "4", "--out", out],
    "data template": lambda site, out: ["data", "template", "toy", "--out", out],
    "plugins new": lambda site, out: ["plugins", "new", "ppg"],
    **{f"stats {name}": stats(name) for name in STATS},
    "stats planner auc": lambda site, out: ["stats", "planner", "auc", "--auc", ".8",
        "--prevalence", ".4", "--half-width", ".05", "--csv", out],
    "stats forest": lambda site, out: ["stats", "forest", site.estimates(["a", "b"]), "--svg", out],
}  # fmt: skip


commands = cache(every_command)


def options_of(command: str) -> list[click.Option]:
    """Return the options of a command that take any text, or a place."""
    return [
        one for one in commands()[command].params
        if isinstance(one, click.Option) and not one.is_flag
        and isinstance(one.type, (click.types.StringParamType, click.Path))
    ]  # fmt: skip


THOROUGH = {("data synth", False): 1, ("data template", False): 1, ("data deidentify", True): 2}
"""Commands of few other uses take more of the names as texts, or places, of options."""


def options(command: str, *, places: bool) -> Use:
    """Return the use of names as options, each option in its turn."""
    taken = [one for one in options_of(command) if isinstance(one.type, click.Path) == places]
    count = iter(range(10**9))

    def words(site: Site, names: Sequence[str], out: Path) -> Sequence[object]:
        option, (name,) = taken[next(count) % len(taken)], names
        given = list(COMMANDS[command](site, out))
        value = os.path.join(site.out, name) if places else name  # noqa: PTH118  as typed
        while option.opts[-1] in given and not option.multiple:
            at = given.index(option.opts[-1])
            del given[at : at + 2]
        return [*given, option.opts[-1], value]

    often = 8 if command.startswith("stats") else 4
    return Use(words, every=THOROUGH.get((command, places), often), least=0, typed=places,
               fits=is_path if places else lambda _: True)  # fmt: skip


def with_columns(command: str, option: str, **more: Any) -> Use:
    """Return the use of names as columns of a table which an option names."""

    def words(site: Site, names: Sequence[str], out: Path) -> Sequence[object]:
        given = list(COMMANDS[command](site, out))
        values = ["b", "a", "c", "a"] if option in ("--by", "--groups", "--subgroup") else None
        if option in ("--outcome", "--status"):
            values = [0, 1, 1, 0, 1]
        elif option == "--patient":
            values = list(range(40))
        elif values is None:
            values = [0.2, 0.7, 0.4, 0.6, 0.9, 0.1, 0.8]
        site.table(**dict.fromkeys(names, values))
        if option in given:
            at = given.index(option)
            del given[at : at + 2]
        return [*given, *(word for name in names for word in (option, name))]

    return Use(words, **more)


def ids(command: str, *more: str) -> Use:
    """Return the use of all names as ids of patients, studies and sites at once."""
    return Use(lambda site, names, out: [*COMMANDS[command](site, out), *more], at_once=10**9,
               fits=is_id)  # fmt: skip


def labelled(command: str) -> Use:
    """Return the use of a name for a run or table."""

    def words(site: Site, names: Sequence[str], out: Path) -> Sequence[object]:
        command_, first, second, *rest = COMMANDS[command](site, out)
        return [command_, f"{names[0]}={str(first).partition('=')[2]}", second, *rest]

    # A fusion takes plain words alone.
    return Use(words, every=10, least=0 if command == "fuse" else 0.6)


def files(command: str) -> Use:
    """Return the use of names of recordings."""

    def words(site: Site, names: Sequence[str], out: Path) -> Sequence[object]:
        given = list(COMMANDS[command](site, out))
        at = given.index(site.one)
        return [*given[:at], *site.recordings(names), *given[at + 1 :]]

    return Use(words, at_once=50, fits=is_path)


def of_patients(site: Site, names: Sequence[str], out: Path) -> Sequence[object]:
    """Return a table whose patients are called so."""
    given = COMMANDS["judge"](site, out)
    site.table(id=names)
    return given


def outcome(site: Site, names: Sequence[str], out: Path) -> Sequence[object]:
    """Return a run on an outcome that is called so."""
    data = site.cohort("own", [f"P{n}" for n in range(24)], 39, **{names[0]: ["0", "1"]})
    return ["run", *SMALL, "--data", data, "--outcome", names[0], "--out", out]


def covariates(site: Site, names: Sequence[str], out: Path) -> Sequence[object]:
    """Return a run with covariates that are called so."""
    columns = {name: [f"{(n * 7) % 11}" for n in range(24)] for name in names}
    data = site.cohort("own", [f"P{n}" for n in range(24)], 39, **columns)
    return ["run", *SMALL, "--data", data, "--out", out, "--covariates", ",".join(names)]


def can_be_listed(name: str) -> bool:
    """Return whether `A,B,...` on a command line can have it."""
    return "," not in name and name == name.strip() != ""


def of_outcome(command: str) -> Use:
    """Return the use of a run whose outcome is called so."""

    def words(site: Site, names: Sequence[str], out: Path) -> Sequence[object]:
        kept = site.run, site.others
        site.run, site.others = site.of_outcome(names[0]), site.inputs / "theirs"
        try:
            return COMMANDS[command](site, out)
        finally:
            site.run, site.others = kept

    return Use(words, every=100, least=0.6)


USES = {
    "run: ids of patients": Use(
        lambda site, _, out: ["run", *SMALL, "--data", site.data, "--out", out],
        at_once=10**9, fits=is_id,
    ),
    "run: outcome": Use(outcome, every=40),
    "run: covariates": Use(covariates, at_once=10, every=10, fits=can_be_listed),
    **{f"{name}: ids of patients": ids(name) for name in (
        "evaluate", "fuse", "stability", "export", "reproduce", "report")},
    "predict: ids of patients": Use(
        lambda site, _, out: ["predict", site.run, site.data, "--explain", out.parent / "e",
                              "--out", out], at_once=10**9, fits=is_id),
    "measure: ids of patients": Use(
        lambda site, names, out: ["measure", "--plugin", "toy", site.cohort(
            "measured", names, 41), "--executor", "local:1", "--out", out],
        at_once=10**9, fits=is_id),
    "compare: ids of patients": Use(
        lambda site, _, out: ["compare", f"a={site.run}", f"b={site.run / 'predictions.csv'}",
                              "--out", out], at_once=10**9, fits=is_id),
    "report: folder of the run": Use(
        lambda site, names, _: ["report", site.copied(site.run, site.out / names[0])],
        every=5, typed=True, fits=is_path),
    "predict: recordings": files("predict"),
    "measure: recordings": files("measure"),
    "data deidentify: recordings": Use(
        lambda site, names, out: ["data", "deidentify", site.loops(*names), out,
                                  "--mapping", site.out / "who.csv"], at_once=50, fits=is_path),
    **{f"{name}: outcome of the run": of_outcome(name) for name in (
        "predict", "evaluate", "stability", "export", "reproduce", "report")},
    "judge: --outcome": with_columns("judge", "--outcome", every=3),
    **{f"judge: {option}": with_columns("judge", option, every=20) for option in (
        "--subgroup", "--patient", "--site")},
    "judge: --score": with_columns("judge", "--score", at_once=10),
    "judge: ids of patients": Use(of_patients, at_once=20),
    "compare: --score": with_columns("compare", "--score", every=20),
    "compare: labels": labelled("compare"),
    "fuse: labels": labelled("fuse"),
    "stats forest: labels": Use(
        lambda site, names, out: ["stats", "forest", site.estimates(names), "--svg", out],
        at_once=20),
    **{f"stats {name}: {option}": with_columns(f"stats {name}", option, every=8, least=0.6)
       for name, option in {
           "table1": "--by", "missing": "--outcome", "univariable": "--features",
           "multivariable": "--features", "incremental": "--add", "roc": "--score",
           "compare": "--outcome", "agreement": "--measured", "calibration": "--score",
           "mixed": "--columns", "subgroups": "--by", "survival": "--groups"}.items()},
    "plugins new: its name": Use(
        lambda site, names, out: ["plugins", "new", "--", names[0]], least=0),
    **{f"{name}: texts of options": options(name, places=False) for name in COMMANDS
       if any(isinstance(one.type, click.types.StringParamType) for one in options_of(name))},
    **{f"{name}: places": options(name, places=True) for name in COMMANDS
       if any(isinstance(one.type, click.Path) for one in options_of(name))},
}  # fmt: skip


LONG = {"fuse: ids of patients", "stability: ids of patients", "run: outcome",
        *(f"{name}: outcome of the run" for name in (
            "evaluate", "stability", "export", "reproduce"))}  # fmt: skip
"""They run or train again, and write by what the other uses write by."""


@pytest.fixture(scope="module", params=["few", pytest.param("all", marks=pytest.mark.slow)])
def site(
    request: pytest.FixtureRequest, installed: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDIO_CACHE", str(place / "cache"))
        (place / "temporary").mkdir()
        patch.setattr("tempfile.tempdir", str(place / "temporary"))
        yield Site(place, FEW if request.param == "few" else NAMES)


def test_every_command_that_writes_is_among_them() -> None:
    writing = {
        name for name, command in commands().items()
        if not isinstance(command, click.Group)
        and {"--out", "--csv", "--svg"} & {word for one in options_of(name) for word in one.opts}
    }  # fmt: skip
    # These take nothing that is somebody's data: a data set by its name, and numbers.
    apart = {"data fetch", "data convert-weights", "stats forensics"}
    planners = {name for name in writing if name.startswith("stats planner ")}
    assert writing - planners - apart <= {*COMMANDS}


@pytest.mark.parametrize(
    "what",
    [pytest.param(one, marks=[pytest.mark.slow] if one in LONG else []) for one in USES],
)
def test_a_name_leads_nowhere_else(what: str, site: Site) -> None:
    use, names = USES[what], site.names
    if names is FEW and use.at_once == 1:  # others of the few for each use
        start = list(USES).index(what)
        names = [FEW[(start + n) % len(FEW)] for n in (0, 3)]
    start = list(USES).index(what) % use.every  # commands alike share the names among them
    found = site.give(use, names[start if names is NAMES else 0 :: use.every])
    assert found.wrong == []
    tried = len(found.accepted) + len(found.refused)
    if site.names is FEW:
        return  # one of two would be half of them
    assert len(found.accepted) >= use.least * tried
    keep(what, tried, len(found.accepted))


def keep(what: str, tried: int, accepted: int) -> None:
    """Put what was counted among the stored results, if that is asked for."""
    if not os.environ.get("CARDIO_STORE"):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        study = importlib.import_module("hostile_study")
        known = json.loads(study.STORED.read_text(encoding="utf-8"))["parts"]["names"]
        uses = known.get("uses", {}) | {what: {"tried": tried, "accepted": accepted}}
        summed: dict[str, int] = {}
        for name, counted in sorted(uses.items()):
            command = group_of(name)
            summed[command] = summed.get(command, 0) + counted["tried"]
        rows = [{"category": "names", "what": command, "tried": n, "failed": 0, "failures": [],
                 "seed": None} for command, n in summed.items()]  # fmt: skip
        study.keep("names", rows=rows, uses=uses)


def group_of(use: str) -> str:
    """Return the command of a use; those of statistics are one."""
    return "stats" if use.startswith("stats ") else use.partition(":")[0]


def test_two_hundred_names_are_stored_for_every_command() -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))["parts"]["names"]
    tried = {row["what"]: row["tried"] for row in stored["rows"]}
    assert set(stored["uses"]) <= set(USES)
    assert [name for name in map(group_of, COMMANDS) if tried.get(name, 0) < 200] == []
