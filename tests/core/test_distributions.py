"""What is built for others: metadata, licence, a README that stands alone, and every data file."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


dist, version = script("dist"), script("version")
PROJECTS = dist.projects()
SHARED = [one for one in PROJECTS if one.parent.name == "core"]
PACKAGED = [one for one in PROJECTS if one.name != "cardio-suite"]  # which holds no code
EXAMPLES = [one.parent for one in ROOT.glob("examples/*/pyproject.toml")]
DATA = {".yaml", ".html", ".css", ".js", ".safetensors", ".json", ".typed", ".md", ".toml"}


def metadata(project):
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_a_readme_stands_alone(project):
    text = dist.alone(
        (project / "README.md").read_text(encoding="utf-8"), project.relative_to(ROOT)
    )
    assert re.findall(r"\]\((?!https?://|#)", text) == []
    assert "<!--" not in text
    assert "\n\n\n" not in text
    assert re.findall(r"\((?:docs|core|plugins|tests|benchmarks)/[^)]*\)", text) == []
    assert re.findall(r"(\S+\.md) \(`\1`", text) == []


@pytest.mark.parametrize("project", SHARED, ids=lambda path: path.name)
def test_a_page_of_the_core_leads_with_what_its_distribution_gives_alone(project):
    given = {
        "cardio-core": ["run", "predict", "measure", "plugins", "data", "doctor"],
        "cardio-stats": ["stats"],
        "cardio-studies": [
            "judge", "compare", "evaluate", "fuse", "stability", "reproduce", "export",
        ],
        "cardio-suite": [],
        "cardio-ultrasound": ["data"],
    }  # fmt: skip
    text = (project / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"`cardio (\w+)", text) == given[project.name]
    words = " ".join(text.split())
    assert "Apache License 2.0" in words
    assert "no medical device" in words or not given[project.name]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# A\n\n<!-- given: 1 -->\n\nB\n", "# A\n\nB\n"),
        ("# A\n\n<!-- a -->\n<!-- b\nc -->\n\nB\n", "# A\n\nB\n"),
        ("A:\n\n<!-- slow -->\n```sh\nb\n```\n", "A:\n\n```sh\nb\n```\n"),
        ("<!-- origin: a -->\n| t |\n<!-- end -->\n\nB\n", "| t |\n\nB\n"),
        ("<!-- a --> b\n\n<!-- c -->\n", " b\n\n"),
        ("[`docs/a.md`](../docs/a.md#b)", "`docs/a.md` in the repository"),
        ("[a](../docs/a.md)", "a (`docs/a.md` in the repository)"),
    ],
)
def test_what_a_readme_loses_leaves_nothing_behind(text, shown):
    assert dist.alone(text, Path("core")) == shown


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_metadata_is_complete_and_holds_no_placeholder(project):
    about = metadata(project)["project"]
    assert about["license"] == "Apache-2.0"
    # On these the tests were run (docs/install.md says when); no other is claimed.
    said = [one for one in about["classifiers"] if re.search(r":: 3\.\d", one)]
    assert said == [f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)]
    assert about["requires-python"] == ">=3.11"
    assert not re.search(r"example\.(com|org)|TODO|your-", str(about))


def test_all_distributions_have_one_version_and_ask_for_that_of_each_other():
    (said,) = {metadata(project)["project"]["version"] for project in [*PROJECTS, *EXAMPLES]}
    major, minor, _ = map(int, said.split("."))
    names = {one.name for one in SHARED}
    for project in [*PROJECTS, *EXAMPLES, ROOT / "core/cardio-core/src/cardio_core/template"]:
        every = map(Requirement, metadata(project)["project"]["dependencies"])
        asked = [one for one in every if one.name in names]
        needed = {"cardio-stats": set(), "cardio-core": {"cardio-stats"}}
        lacking = needed.get(project.name, {"cardio-stats", "cardio-core"})
        assert lacking <= {one.name for one in asked}, project
        for one in asked:
            assert str(one.specifier) == f"<{major}.{minor + 1},>={major}.{minor}", project
    assert version.rewritten(said) == {}, "run python .ci/version.py VERSION"


def test_a_new_version_reaches_every_place_that_names_one():
    texts = version.rewritten("7.8.9")
    assert {path.parent.name for path in texts} >= {one.name for one in [*PROJECTS, *EXAMPLES]}
    for path, text in texts.items():
        assert path.name != "pyproject.toml" or "template" in path.parts or '"7.8.9"' in text
        assert (
            ">=7.8,<7.9" in text
            or path.parent.name == "cardio-stats"  # asks for none of ours
            or path.name in ("CITATION.cff", "citing.md")
        )


def test_only_the_suite_holds_no_code():
    assert [one for one in PROJECTS if not (one / "src").is_dir()] == [ROOT / "core/cardio-suite"]


def test_the_citation_names_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version.current()}\n" in text
    after = version.rewritten("7.8.9")[ROOT / "CITATION.cff"]
    assert after == text.replace(f"\nversion: {version.current()}\n", "\nversion: 7.8.9\n")
    assert after.startswith("cff-version: 1.2.0\n")


def test_the_changes_begin_with_this_version_or_what_comes_next():
    first = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)[0]
    assert first in ("Unreleased", version.current())


@pytest.mark.parametrize("project", PACKAGED, ids=lambda path: path.name)
def test_package_data_names_files_that_there_are(project):
    for package, patterns in metadata(project)["tool"]["setuptools"]["package-data"].items():
        folder = project / "src" / package
        assert [one for one in patterns if not any(folder.glob(one))] == []


@pytest.mark.slow
def test_every_distribution_is_built_whole(tmp_path):
    subprocess.run([sys.executable, ROOT / ".ci" / "dist.py", tmp_path], check=True)
    for project in PROJECTS:
        name = metadata(project)["project"]["name"].replace("-", "_")
        (wheel,) = tmp_path.glob(f"{name}-*.whl")
        assert any(tmp_path.glob(f"{name}-*.tar.gz"))
        files = set(zipfile.ZipFile(wheel).namelist())
        assert any(one.endswith("licenses/LICENSE") for one in files)
        assert any(one.endswith("licenses/NOTICE") for one in files)
        source = project / "src"
        wanted = {
            str(path.relative_to(source))
            for path in source.rglob("*")
            if path.is_file()
            and (path.suffix == ".py" or path.suffix in DATA)
            and not any(part.endswith(".egg-info") for part in path.parts)
        }
        assert sorted(wanted - files) == []
        assert [one for one in files if "/tests/" in one and "/template/" not in one] == []
