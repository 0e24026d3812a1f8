"""Rules that a reader of this project relies on."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from . import source_files as source

SOURCES = [
    path
    for package in (*source.SHARED.values(), *source.PLUGINS.values(), *source.EXAMPLES.values())
    for path in source.python_files(package)
]
TEXTS = [path for path in source.tracked_texts() if "oracles" not in path.parts]
PAGES = [path for path in TEXTS if path.suffix == ".md"]
SECTION = ("work", "root", "tmp", "home", "opt")
OF_ONE_MACHINE = re.compile(r"(?:^|[\s\"'=(`])/(?:" + "|".join(SECTION) + r")/", re.MULTILINE)
PICKLES = {"pickle", "dill", "cloudpickle", "shelve", "marshal", "_pickle"}

MAY_PICKLE = {
    source.CORE / "compute" / "processes.py",  # asks whether an exception can travel to its parent
    source.CORE / "testing" / "run_checks.py",  # refuses pickles
}


def calls(path: Path, name: str) -> list[ast.Call]:
    """Return the calls in a file that end in a name, ``"torch.load"`` say."""
    return [call for called, call in all_calls(path) if called.endswith(name)]


@cache
def all_calls(path: Path) -> list[tuple[str, ast.Call]]:
    return [
        (source.dotted(node.func), node)
        for node in source.nodes_of(path)
        if isinstance(node, ast.Call)
    ]


def keywords(call: ast.Call) -> dict[str | None, str]:
    return {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}


def test_there_is_something_to_look_at():
    assert len(SOURCES) > 100


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "misc.py", "common.py"])
def test_no_file_is_a_drawer_for_odds_and_ends(name):
    assert [path for path in SOURCES if path.name == name] == []


def test_every_package_and_module_says_what_it_is():
    assert [path for path in SOURCES if not ast.get_docstring(source.nodes_of(path)[0])] == []


def test_nothing_opens_a_pickle():
    for path in SOURCES:
        if path not in MAY_PICKLE:
            assert not PICKLES & {m.split(".")[0] for m in source.imports_of(path)}, path
        for call in calls(path, "torch.load"):
            assert keywords(call).get("weights_only") == "True", path
        for call in calls(path, "np.load"):
            assert keywords(call).get("allow_pickle", "False") == "False", path
        assert not calls(path, "joblib.load"), path


def test_nothing_unpacks_evaluates_or_loads_yaml_unsafely():
    for path in SOURCES:
        for name in ("yaml.load", "yaml.unsafe_load", ".extractall", "os.system"):
            assert not calls(path, name), f"{path}: {name}"
        assert not {"eval", "exec"} & {name for name, _ in all_calls(path)}, path


def test_no_dependency_breaks_beside_a_cpu_build_of_torch():
    unwanted = {"torchvision", "timm", "torchaudio"}
    for file in (
        *source.ROOT.glob("core/*/pyproject.toml"),
        *source.ROOT.glob("plugins/*/pyproject.toml"),
    ):
        for name in unwanted:
            assert f'"{name}' not in file.read_text(), f"{file}: {name}"
    for path in SOURCES:
        assert not unwanted & {module.split(".")[0] for module in source.imports_of(path)}, path


def test_no_file_names_a_path_of_one_machine():
    found = {
        str(path.relative_to(source.ROOT)): match[0].strip()
        for path in TEXTS
        if path != Path(__file__)
        and (match := OF_ONE_MACHINE.search(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert found == {}


def test_no_message_or_page_installs_a_bare_name_of_ours_that_a_stranger_could_own():
    ours = r"pip install[^\n`]*\s[\"']?cardio[-_]\w+"
    for path in [*SOURCES, *PAGES]:
        found = re.search(ours, path.read_text(encoding="utf-8"))
        assert found is None, f"{path.name}: {found[0] if found else ''}"


def test_no_entry_stands_twice_in_the_changes():
    text = (source.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.findall(r"^(?:- |## )[^\n]+", text, re.MULTILINE)
    twice = sorted({entry for entry in entries if entries.count(entry) > 1})
    assert twice == [], "two versions were joined: take main's file, and add your lines to it"


def test_every_plugin_is_listed_in_the_readme_and_has_its_own():
    readme = (source.ROOT / "README.md").read_text()
    for name, package in source.PLUGINS.items():
        assert f"`{name}`" in readme
        assert (package.parents[1] / "README.md").stat().st_size > 500


def test_every_command_that_a_page_shows_exists():
    from cardio_core.cli.main import cardio

    for page in PAGES:
        for line in re.findall(r"^cardio (\S[^\n]*)", page.read_text(), re.MULTILINE):
            words = line.split()
            if not words[0].startswith("-"):
                assert words[0] in cardio.lazy, f"{page.name}: cardio {line}"
