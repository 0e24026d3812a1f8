"""`cardio plugins new`: what it makes installs, keeps the contract and runs as it is."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.cli.plugins import new_plugin
from cardio_core.registry import open_plugin
from cardio_core.testing import PluginContract, names, training_context
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.samples import ID_COLUMNS
from cardio_core.types.targets import Targets

ROOT = Path(__file__).parents[2]
UNITS = ("patient", "study", "recording", "event")
KINDS = ("binary", "multiclass", "continuous")
WRITTEN = [*product(("signal",), UNITS, KINDS), *product(("image", "table"), UNITS[:3], KINDS)]
QUICK = ("train.fit.epochs=2", "protocols.honest.k=2", "evaluate.n_resamples=100")


@pytest.fixture(scope="module")
def newcomer(install: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin as it is made without options, installed."""
    return install(new_plugin("new-comer", tmp_path_factory.mktemp("new")))


@pytest.fixture(scope="module")
def of_pictures(install: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin for pictures, under names of its own."""
    folder = tmp_path_factory.mktemp("new")
    named = {"task": "spot", "target": "wide_spot", "path": "path_picture"}
    return install(new_plugin("new-pictures", folder, kind="image", **named))


@pytest.mark.usefixtures("newcomer")
class TestContract(PluginContract):
    plugin = "new_comer"
    tasks = ("finding",)
    sets = {"finding": QUICK}  # noqa: RUF012
    n_patients = 12


@pytest.mark.slow  # of names of its own; the last tests pass every kind of recordings through it
@pytest.mark.usefixtures("of_pictures")
class TestContractOfPictures(PluginContract):
    plugin = "new_pictures"
    tasks = ("spot",)
    sets = {"spot": QUICK}  # noqa: RUF012
    n_patients = 12


def test_the_plan_of_the_house_is_in_the_new_folder(tmp_path):
    package = new_plugin("a", tmp_path) / "src" / "cardio_a"
    hooks = {f"{name}.py" for name in ("load", "preprocess", "featurize", "train", "predict")}
    assert hooks | {"config.py", "models.py"} <= {p.name for p in (package / "finding").iterdir()}
    folders = {path.name for path in package.iterdir() if path.is_dir()}
    assert folders == {"finding", "signal", "readers", "networks", "synthetic", "configs"}
    names = {path.name for path in package.glob("configs/*.yaml")}
    assert names == {"default.yaml", "smoke.yaml"}


@pytest.mark.parametrize(("recordings", "unit", "kind"), WRITTEN)
def test_every_unit_and_kind_is_written_under_its_name(tmp_path, recordings, unit, kind):
    made = new_plugin("ppg-rhythm", tmp_path, kind=recordings, unit=unit, target_kind=kind)
    assert made.name == "ppg-rhythm"
    for path in filter(Path.is_file, made.rglob("*")):
        text = path.read_text(encoding="utf-8")
        assert not re.search("my[_-](modality|task|target)|my_recording|MY_TASK", text + str(path))
        if path.suffix == ".py":
            ast.parse(text)
            assert max(map(len, text.splitlines())) <= 100
    models = (made / "src/cardio_ppg_rhythm/finding/models.py").read_text(encoding="utf-8")
    assert f'unit="{unit}"' in models
    assert f'Target("finding", "{kind}"' in models
    project = (made / "pyproject.toml").read_text(encoding="utf-8")
    assert 'name = "cardio-ppg-rhythm"' in project
    assert 'ppg_rhythm = "cardio_ppg_rhythm.plugin"' in project


@pytest.mark.parametrize(
    ("kind", "words", "planted"),
    [
        ("binary", "The best possible AUC is 0.92", 0.8),
        ("multiclass", "The mean AUC of a class against the rest", 0.8),
        ("continuous", "Share of pairs in the right order", 0.75),
    ],
)
def test_the_floor_of_its_tests_is_that_of_the_kind(tmp_path, kind, words, planted):
    made = new_plugin("a", tmp_path, target_kind=kind)
    text = (made / "tests" / "test_contract.py").read_text(encoding="utf-8")
    assert words in text
    assert f'planted = {{"finding": {planted}}}' in text


def test_the_network_of_a_number_finds_one_that_is_far_from_zero(install, tmp_path):
    """Pressures of 130 mmHg, of which a network without a scale learns the mean alone."""
    install(new_plugin("new-number", tmp_path, target_kind="continuous"))
    task = open_plugin("new_number").info.tasks[0]
    hooks = "cardio_new_number.finding"
    train, predict, settings = (
        importlib.import_module(f"{hooks}.{name}") for name in ("train", "predict", "config")
    )
    rng = np.random.default_rng(3)
    ids = [f"P{n}" for n in range(80)]
    table = pd.DataFrame(dict.fromkeys(ID_COLUMNS, ids), index=pd.Index(ids, name="sample_id"))
    z = rng.normal(size=80)
    shapes = np.exp(-((np.linspace(-3, 3, 32) / (1 + 0.2 * z[:, None])) ** 2))[:, None]
    shape = FeatureBlock(shapes.astype(np.float32), ("channel", "time"), ("pulse",), ("1",))
    features = FeatureSet(table, {"shape": shape})
    known = pd.Series(130 + 10 * z, index=ids)
    targets = Targets("patient", pd.DataFrame({"finding": known}))
    ctx = training_context(task, "network", tmp_path)
    config = settings.TrainBlock(fit={"epochs": 20, "batch_size": 32, "learning_rate": 0.01})
    model = train.train(features, None, targets, config, ctx)
    scores = predict.predict(model, features, ctx).scores["finding"]
    assert abs(scores.mean() - 130) < 5
    assert np.corrcoef(scores, known)[0, 1] > 0.7
    assert np.abs(scores - known).mean() < 6  # 8 for the mean of all


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("PPG", "expected a name of small letters and digits"),
        ("1st", "expected a name of small letters and digits"),
        ("a__b", "expected a name of small letters and digits"),
        ("../a", "expected a name of small letters and digits"),
        ("core", "a package cardio_core is installed already; choose another name\n"),
        ("toy", "or make room for a new one first: pip uninstall cardio-toy\n"),
        ("there", "there: expected no such folder, found one"),
    ],
)
def test_a_name_that_cannot_be_taken_exits_with_2_and_one_line(
    cardio, tmp_path, monkeypatch, name, words
):
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    said = cardio("plugins", "new", name)
    assert said.exit_code == 2
    assert words in said.stderr
    assert said.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--task", "signal"),
        ("--task", "class"),
        ("--target", "ef-1"),
        ("--path", "trace"),
        ("--unit", "event"),
    ],
)
def test_other_names_that_cannot_be_taken_are_refused_under_their_option(
    cardio, tmp_path, monkeypatch, option, name
):
    monkeypatch.chdir(tmp_path)
    kind = "image" if name == "event" else "signal"
    said = cardio("plugins", "new", "other", "--kind", kind, option, name)
    assert (said.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert names(said.stderr, option, name)


def test_the_command_says_what_to_do_next(cardio, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = cardio("plugins", "new", "ppg-rhythm", "--unit", "event", "--target-kind", "continuous")
    assert said.exit_code == 0
    for words in ("pip install -e ./ppg-rhythm", "check ppg_rhythm", "run --plugin ppg_rhythm"):
        assert words in said.stdout


def test_without_a_published_evaluation_both_runs_honest_alone_and_says_so(
    cardio, newcomer, tmp_path
):
    sets = [word for one in QUICK for word in ("--set", one)]
    said = cardio(
        "run", "--plugin", "new_comer", "--smoke", "--out", tmp_path / "run", "--executor",
        "local:1", "--device", "cpu", "--set", "n_synthetic=12", "--set", "models=[regression]",
        *sets,
    )  # fmt: skip
    assert said.exit_code == 0, said.stderr
    assert "Protocol: honest alone; protocols.paper is not configured." in said.stdout
    assert "Configuration: smoke." in said.stdout
    manifest = json.loads((tmp_path / "run/manifest.json").read_text(encoding="utf-8"))
    assert manifest["protocols"] == ["honest"]
    assert "honest alone" in (tmp_path / "run/report.html").read_text(encoding="utf-8")


def test_a_published_evaluation_that_nobody_described_is_refused_in_one_line(
    cardio, newcomer, tmp_path
):
    said = cardio("run", "--plugin", "new_comer", "--protocol", "paper", "--out", tmp_path / "run")
    assert said.exit_code == 2
    assert names(said.stderr, "protocols.paper")
    assert said.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["signal", "image", "table"])
def test_a_scaffold_of_each_kind_is_typed_under_its_own_settings(tmp_path, kind):
    made = new_plugin("typed", tmp_path, kind=kind)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", ROOT / ".mypy_cache", "src"],
        cwd=made, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize(("recordings", "unit", "kind"), WRITTEN)
def test_every_unit_and_kind_passes_the_tests_that_it_was_made_with(
    install, tmp_path, recordings, unit, kind
):
    name = f"{recordings}-{unit}-{kind}"
    made = new_plugin(name, tmp_path, kind=recordings, unit=unit, target_kind=kind)
    path = os.pathsep.join([str(install(made)), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"],
        cwd=made, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
def test_from_wheels_in_an_empty_folder_and_a_new_environment(tmp_path):
    """Third-party packages are those of this environment; everything of ours is from wheels."""

    def say(*words: object, **more: str) -> str:
        done = subprocess.run(
            [str(word) for word in words], cwd=tmp_path, env=own | more, capture_output=True,
            text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    own = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    wheel = ["-m", "pip", "wheel", "-q", "--no-index", "--no-deps", "--no-build-isolation",
             "--wheel-dir", "wheels"]  # fmt: skip
    ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    shutil.copytree(ROOT / "core", tmp_path / "core", ignore=ignored)
    say(sys.executable, *wheel, "./core/cardio-stats", "./core/cardio-core")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    site = say(python, "-c", "import site; print(site.getsitepackages()[0])").strip()
    theirs = [path for path in sys.path if path.endswith("site-packages")]
    (Path(site) / "theirs.pth").write_text("\n".join(theirs) + "\n", encoding="utf-8")
    put = ["-m", "pip", "install", "-q", "--no-index", "--no-deps", "--ignore-installed"]
    say(python, *put, *(tmp_path / "wheels").glob("cardio_*.whl"))
    where = say(python, "-c", "import cardio_core; print(cardio_core.__file__)").strip()
    assert where.startswith(site)
    cardio = tmp_path / "env" / "bin" / "cardio"
    alone = {"CARDIO_PLUGINS": "ppg_rhythm", "CARDIO_CACHE": str(tmp_path / "cache")}
    say(cardio, "plugins", "new", "ppg_rhythm")
    say(sys.executable, *wheel, "./ppg_rhythm")
    say(python, *put, *(tmp_path / "wheels").glob("cardio_ppg_rhythm-*.whl"))
    say(cardio, "plugins", "check", "ppg_rhythm", **alone)
    said = say(cardio, "run", "--plugin", "ppg_rhythm", "--out", "run", **alone)
    assert "Report:" in said
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
