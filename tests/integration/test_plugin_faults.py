"""Every way in which a plugin can be broken has a line of its own, and harms no other plugin."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from cardio_core.registry import list_plugins, open_plugin
from cardio_core.testing.plugin_checks import heavy_modules_after
from cardio_core.testing.searching import HUNG_AFTER_S

HOOKS = {
    "load": "config, ctx",
    "preprocess": "samples, ctx",
    "featurize": "samples",
    "train": "training, targets, config, ctx",
    "predict": "model, features, ctx",
}
PLUGIN = """
from cardio_core.api import Model, PluginInfo, Target, Task, hookimpl

ILL = Target("ill", "binary", ("no", "yes"))
TASK = Task("rhythm", "Rhythm", "patient", (ILL,), (Model("m", "M"),), folder="PACKAGE.rhythm")
INFO = PluginInfo(name="planted", title="Planted", tasks=(TASK,))
"""
SOUND = {
    "__init__.py": "",
    "plugin.py": PLUGIN,
    "synthetic.py": "def synthesize(out, *, task, n_patients=None, seed=0): ...",
    "configs/__init__.py": "",
    "configs/default.yaml": "",
    "rhythm/__init__.py": "",
    **{f"rhythm/{hook}.py": f"def {hook}({taken}): ..." for hook, taken in HOOKS.items()},
}


def info(old: str, new: str) -> dict[str, str | None]:
    return {"plugin.py": PLUGIN.replace(old, new)}


def more(text: str) -> dict[str, str | None]:
    return {"plugin.py": f"{PLUGIN}\n{text}"}


FAULTS: dict[str, tuple[Mapping[str, str | None], tuple[str, ...]]] = {
    "exits": (
        {"plugin.py": "import sys\nsys.exit('no licence')"},
        ("cannot be imported: SystemExit: no licence; cardio --debug plugins info planted",),
    ),
    "raises_something_odd": (
        {"plugin.py": "class Odd(BaseException): ...\nraise Odd('far\\nout')"},
        ("cannot be imported: Odd: far out; ",),
    ),
    "is_no_python": (
        {"plugin.py": "def INFO(:"},
        ("cannot be imported: SyntaxError: ",),
    ),
    "needs_a_package": (
        {"plugin.py": "import no_such_package.inside"},
        ("No module named 'no_such_package'; install no_such_package, or the plugin again",),
    ),
    "wrong_types": (
        info("tasks=(TASK,)", "tasks=2"),
        ("has an INFO of wrong types: TypeError: ", "plugins info planted shows where"),
    ),
    "no_tasks": (
        info("tasks=(TASK,)", "tasks=()"),
        ("has an INFO of wrong types: IndexError: ",),
    ),
    "another_name": (
        info('name="planted"', 'name="plantain"'),
        ("INFO.name is 'plantain', its entry point 'planted'; make them equal",),
    ),
    "lost_default_task": (
        info("tasks=(TASK,)", "tasks=(TASK,), default_task='rythm'"),
        ("INFO.default_task is 'rythm'",),
    ),
    "unmarked_hook": (
        more("def explain(model, features): ..."),
        ("PACKAGE.plugin line 8 defines 'explain' without marking it, so it would never be called; "
         "write @hookimpl above it",),
    ),
    "marked_near_miss": (
        more("@hookimpl\ndef explian(model, features): ..."),
        ("PACKAGE.plugin line 8 marks 'explian', which is no hook; did you mean 'explain'?",),
    ),
    "marked_far_miss": (
        more("@hookimpl\ndef sharpen(samples): ..."),
        ("marks 'sharpen', which is no hook; the hooks are load, preprocess, featurize, train, ",),
    ),
    "unmarked_near_miss": (
        more("def evaluat(predictions, config, ctx): ..."),
        ("PACKAGE.plugin line 8 defines 'evaluat', which nothing calls; did you mean 'evaluate'?",),
    ),
    "wrong_argument_in_the_module": (
        more("@hookimpl\ndef explain(model, feature): ..."),
        ("line 8: explain asks for the argument 'feature', which that hook does not have; did you "
         "mean 'features'? it may take model, features, predictions, config, ctx",),
    ),
    "no_folder": (
        info("PACKAGE.rhythm", "PACKAGE.rythm"),
        ("Task(folder='PACKAGE.rythm') is no package; make it, with a file for each hook",),
    ),
    "missing_hook": (
        {"rhythm/predict.py": None},
        ("does not implement: predict (task 'rhythm', folder PACKAGE.rhythm); write predict.py "
         "there: def predict(model, features, config, ctx)",),
    ),
    "misspelt_file": (
        {"rhythm/featurize.py": None, "rhythm/featurise.py": "def featurise(samples): ..."},
        ("PACKAGE/rhythm/featurise.py is named nearly like the hook 'featurize' and would never be "
         "called; rename it featurize.py, with a function featurize",),
    ),
    "misspelt_file_of_an_optional_hook": (
        {"rhythm/explian.py": "def explain(model, features, ctx): ..."},
        ("PACKAGE/rhythm/explian.py is named nearly like the hook 'explain'",),
    ),
    "wrong_argument_of_a_sheet": (
        {"rhythm/sheet.py": "def sheet(figure, signal): ..."},
        ("PACKAGE/rhythm/sheet.py line 1: sheet asks for the argument 'signal', which that hook "
         "does not have; it may take figure, recording, samples, features",),
    ),
    "misspelt_sheet": (
        {"rhythm/sheets.py": "def sheet(figure, recording): ..."},
        ("PACKAGE/rhythm/sheets.py is named nearly like the hook 'sheet'",),
    ),
    "hook_file_without_its_function": (
        {"rhythm/explain.py": "def show(model): ..."},
        ("PACKAGE/rhythm/explain.py has no function 'explain'; name its function so: "
         "def explain(model, features, predictions, config, ctx)",),
    ),
    "wrong_argument_in_a_file": (
        {"rhythm/featurize.py": "\ndef featurize(samples, targets): ..."},
        ("PACKAGE/rhythm/featurize.py line 2: featurize asks for the argument 'targets', which "
         "that hook does not have; it may take samples, config, ctx",),
    ),
    "wrong_argument_of_a_borrowed_function": (
        {"rhythm/load.py": "from PACKAGE.cohort import find as load",
         "cohort.py": "def find(confg, ctx): ..."},
        ("PACKAGE/cohort.py line 1: load asks for the argument 'confg'", "did you mean 'config'?"),
    ),
    "hook_that_is_no_python": (
        {"rhythm/train.py": "def train(:"},
        ("rhythm/train.py line 1 is no Python",),
    ),
    "lost_configuration_of_the_folder": (
        {"rhythm/config.py": "class Settings: ..."},
        ("task 'rhythm', configuration, names 'PACKAGE.rhythm.config:Config', but "
         "PACKAGE/rhythm/config.py has no 'Config'; write it, or mend the name",),
    ),
    "lost_configuration": (
        info("title=", "config='PACKAGE.settings:Config', title="),
        ("names 'PACKAGE.settings:Config', but there is no module PACKAGE.settings; write it",),
    ),
    "lost_synthesize": (
        {"synthetic.py": "def synthesise(out): ..."},
        ("synthesize names 'PACKAGE.synthetic:synthesize', but PACKAGE/synthetic.py has no "
         "'synthesize'; did you mean 'synthesise'? write it, or mend the name",),
    ),
    "lost_tool": (
        info("title=", "tools={'datasets': 'PACKAGE.peaks:find'}, title="),
        ("tool 'datasets' names 'PACKAGE.peaks:find', but there is no module PACKAGE.peaks",),
    ),
    "lost_yaml": (
        {"configs/default.yaml": None},
        ("there is no default.yaml in the package PACKAGE.configs; write it, and list it under "
         "[tool.setuptools.package-data]",),
    ),
    "lazy_dependency": (
        {"rhythm/train.py": "import numpy\nimport no_such_package\n\ndef train(training): ..."},
        ("PACKAGE/rhythm/train.py line 2 imports no_such_package, which is not installed; install "
         "it, or the plugin again with it",),
    ),
    "lazy_dependency_further_down": (
        {"rhythm/train.py": "from .. import nets\n\ndef train(training): ...",
         "nets.py": "from PACKAGE.inner import block", "inner/__init__.py": "",
         "inner/block.py": "from no_such_package.nets import ResNet"},
        ("PACKAGE/inner/block.py line 1 imports no_such_package, which is not installed",),
    ),
    "lazy_dependency_inside_the_hook": (
        {"rhythm/train.py": "def train(training):\n    import no_such_package"},
        ("PACKAGE/rhythm/train.py line 2 imports no_such_package, which is not installed",),
    ),
    "name_that_the_api_does_not_offer": (
        {"rhythm/train.py": "from cardio_core.api import Bohcort\n\ndef train(training): ..."},
        ("train.py line 1 imports 'Bohcort', which cardio_core.api does not offer; did you mean "
         "'Cohort'? docs/writing_a_plugin.md lists what it does",),
    ),
    "name_that_its_own_module_does_not_define": (
        {"rhythm/train.py": "from PACKAGE.nets import Rsnet\n\ndef train(training): ...",
         "nets.py": "class Resnet: ..."},
        ("train.py line 1 imports 'Rsnet', which PACKAGE/nets.py does not define; did you mean "
         "'Resnet'? mend the name",),
    ),
    "module_of_its_own_that_is_not_there": (
        {"rhythm/train.py": "from PACKAGE.rhythm.steps import fit\n\ndef train(training): ..."},
        ("train.py line 1 imports PACKAGE.rhythm.steps, which does not exist; mend the name",),
    ),
}  # fmt: skip
GOOD: dict[str, Mapping[str, str | None]] = {
    "as_it_is": {},
    "good_names_of_something_else": {
        "rhythm/features.py": "def features(samples, rate): ...",
        "rhythm/strain.py": "def strain(loop): ...",
        "rhythm/evaluation.py": "def table(predictions): ...",
        "rhythm/loading.py": "def load(config, ctx): ...",
        "rhythm/load.py": "from PACKAGE.rhythm.loading import load",
    },
    "optional_imports": {
        "rhythm/train.py": "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import no_such_package\n"
        "try:\n    import no_such_package\nexcept ImportError:\n    no_such_package = None\n"
        "def train(training): ...\ndef convert():\n    import no_such_package",
    },
    "names_that_reading_cannot_see": {
        "rhythm/train.py": "from PACKAGE.nets import Resnet\n\ndef train(training): ...",
        "nets.py": "globals()['Resnet'] = 1",
    },
    "names_bound_in_other_ways": {
        "rhythm/train.py": "from PACKAGE.nets import A, B, C, D, E, inner\n"
        "train = lambda training, ctx: None",
        "nets/__init__.py": "A, (B, *_) = 1, [2]\nC: int = 3\nfor D in range(2): ...\n"
        "with open(__file__) as E: ...",
        "nets/inner.py": "",
    },
    "defaults_and_any_arguments": {
        "rhythm/load.py": "def load(config, ctx, depth=3, *rest, quick=False, **others): ...",
    },
    "no_synthetic_cohort_yet": {"synthetic.py": None},
}


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """Install a plugin named planted, whose files differ from the sound ones as told."""

    def write(
        changes: Mapping[str, str | None] = {},
        *,
        distribution: str = "cardio-planted",
        version: str = "0.3",
        requires: tuple[str, ...] = (),
    ) -> str:
        package = f"{distribution.replace('-', '_')}_{abs(hash(request.node.name))}"
        site = tmp_path / distribution
        for name, text in (SOUND | dict(changes)).items():
            if text is not None:
                (site / package / name).parent.mkdir(parents=True, exist_ok=True)
                (site / package / name).write_text(text.replace("PACKAGE", package))
        about = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        about.mkdir()
        lines = [f"Name: {distribution}", f"Version: {version}"]
        lines += [f"Requires-Dist: {one}" for one in requires]
        (about / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(lines) + "\n")
        (about / "entry_points.txt").write_text(f"[cardio.plugins]\nplanted = {package}.plugin\n")
        monkeypatch.syspath_prepend(site)
        return package

    yield write
    for name in [name for name in sys.modules if name.startswith("cardio_planted")]:
        del sys.modules[name]


def found() -> SimpleNamespace:
    return SimpleNamespace(**{plugin.name: plugin for plugin in list_plugins()}).planted


@pytest.mark.parametrize(("changes", "said"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_listed_and_refused_in_the_same_line(plant, cardio, changes, said, tmp_path):
    package = plant(changes)
    reason = found().reason
    for part in said:
        assert part.replace("PACKAGE", package) in reason
    assert reason.startswith("plugin 'planted' (cardio-planted)")
    assert "\n" not in reason
    assert found().info is None
    assert all("does not implement" in line for line in found().more)  # what follows from it
    run = cardio("run", "--plugin", "planted", "--out", tmp_path / "run")
    assert (run.exit_code, run.stdout, run.stderr) == (2, "", f"Error: {reason}\n")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_what_only_looks_odd_is_no_fault(plant, changes):
    plant(changes)
    assert found().reason == ""
    assert open_plugin("planted").info.title == "Planted"


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("no-such-package>=2", 'requires no-such-package>=2, which is not installed; '
         'pip install "no-such-package>=2"'),
        ("numpy>=900", "requires numpy>=900, found "),
        ("cardio-nothing", "requires cardio-nothing, which is not installed; install it from its "
         "folder or wheel"),
    ],
)  # fmt: skip
def test_a_requirement_that_is_not_met_is_a_fault(plant, requirement, said):
    plant(requires=(requirement, "numpy>=1", 'no-such-package; python_version < "3"'))
    assert said in found().reason
    assert found().more == ()


@pytest.mark.parametrize(
    ("requirement", "upgraded"),
    [
        ("cardio-core>=900,<901", "cardio-core"),
        ("Cardio_Core[train]~=900.1", "cardio-core"),
        ("cardio-core==900.*", "cardio-core"),
        ("cardio-core<0.1", "cardio-planted"),
        ("cardio-core>=0.0.1,<0.0.2", "cardio-planted"),
    ],
)
def test_one_for_another_core_is_not_imported_and_says_what_to_upgrade(
    plant, cardio, requirement, upgraded
):
    plant({"plugin.py": "raise SystemExit('imported')"}, requires=(requirement,))
    assert found().info is None
    assert f"upgrade {upgraded} from" in found().reason
    assert f"found {version('cardio-core')}" in found().reason
    assert "imported" not in found().reason
    said = cardio("run", "--plugin", "planted")
    assert (said.exit_code, said.stderr) == (2, f"Error: {found().reason}\n")


def test_a_core_that_only_an_extra_or_another_python_requires_is_no_misfit(plant):
    plant(requires=("cardio-core<0.1; extra == 'old'", "cardio-core<0.1; python_version < '3'",
                    "cardio-core>=0.1"))  # fmt: skip
    assert found().reason == ""


def test_what_an_extra_of_a_requirement_brings_is_required_too(plant, tmp_path):
    plant(requires=("cardio-lender[speed]",))
    about = tmp_path / "cardio-planted" / "cardio_lender-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: cardio-lender\nVersion: 1.0\nProvides-Extra: speed\n"
        "Requires-Dist: no-such-base\nRequires-Dist: no-such-engine>=1; extra == 'speed'\n"
        "Requires-Dist: no-such-docs; extra == 'docs'\n"
    )
    assert "requires no-such-engine>=1, which is not installed" in found().reason
    assert found().more == ()


def test_several_faults_are_all_listed(plant, cardio):
    plant({"rhythm/predict.py": None, "configs/default.yaml": None}, requires=("no-such-package",))
    lines = cardio("plugins", "list").stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("planted"))
    assert "broken: plugin 'planted' (cardio-planted): requires no-such-" in lines[first + 1]
    assert "does not implement: predict" in lines[first + 2]
    assert "there is no default.yaml" in lines[first + 3]


def test_two_distributions_with_one_name_are_both_named_and_neither_is_run(plant, cardio):
    plant()
    plant(distribution="cardio-planted-too", version="0.1")
    said = (
        "plugin 'planted' is brought by two distributions, cardio-planted 0.3 and "
        "cardio-planted-too 0.1; neither is run: uninstall one, pip uninstall cardio-planted-too"
    )
    assert found().reason == said
    assert found().distribution == "cardio-planted, cardio-planted-too"
    for command in (("run", "--plugin", "planted"), ("plugins", "info", "planted")):
        answer = cardio(*command)
        assert (answer.exit_code, answer.stderr) == (2, f"Error: {said}\n")


def test_the_others_go_on_beside_a_plugin_that_exits(plant, cardio, tmp_path):
    plant({"plugin.py": "import sys\nsys.exit(0)"})
    assert cardio("plugins", "info", "toy").exit_code == 0
    assert cardio("data", "synth", "toy", "--out", tmp_path / "data").exit_code == 0
    rows = {row["name"]: row for row in cardio("doctor", "--json").json["plugins"]}
    assert "SystemExit" in rows["planted"]["broken"]
    assert rows["toy"]["broken"] is None


def test_ctrl_c_while_a_plugin_is_imported_stops_the_command(plant):
    plant({"plugin.py": "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        list(list_plugins())


def test_a_broken_plugin_is_described_with_the_traceback_on_request(plant, start_cardio):
    plant({"plugin.py": "1 / 0"})
    path = os.pathsep.join(filter(None, sys.path))
    process = start_cardio("--debug", "plugins", "info", "planted", PYTHONPATH=path)
    stderr = process.communicate(timeout=HUNG_AFTER_S)[1]
    assert process.returncode == 2
    assert "ZeroDivisionError" in stderr
    assert "plugin.py" in stderr


def test_looking_for_faults_imports_neither_the_hooks_nor_what_they_need(plant, tmp_path):
    heavy = "import torch, numpy, sklearn\n"
    plant({f"rhythm/{hook}.py": f"{heavy}def {hook}({HOOKS[hook]}): ..." for hook in HOOKS})
    assert found().reason == ""
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'cardio-planted')!r})\n"
    code += "from cardio_core.registry import open_plugin\nopen_plugin('planted')"
    assert heavy_modules_after(code) == []
