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

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("dist", ROOT / ".ci" / "dist.py")
dist = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(dist)
PROJECTS = dist.projects()
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


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_metadata_is_complete_and_holds_no_placeholder(project):
    about = metadata(project)["project"]
    assert about["license"] == "Apache-2.0"
    assert "Programming Language :: Python :: 3.11" in about["classifiers"]
    # Others are untested, so none is claimed.
    assert [one for one in about["classifiers"] if re.search(r":: 3\.(?!11)\d", one)] == []
    assert about["requires-python"] == ">=3.11"
    assert not re.search(r"example\.(com|org)|TODO|your-", str(about))


def test_all_distributions_have_one_version_and_plugins_ask_for_that_core():
    versions = {metadata(project)["project"]["version"] for project in PROJECTS}
    assert len(versions) == 1


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
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
