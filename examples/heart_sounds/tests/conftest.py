"""Where the plugin is not installed, as in a clone of cardio, these tests alone know it."""

import os
import sys
import tomllib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
ABOUT = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
ENTRY = "[cardio.plugins]\nheart_sounds = cardio_heart_sounds.plugin\n"
if find_spec("cardio_heart_sounds") is None:
    sys.path.insert(0, str(HERE / "src"))


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes longer than a few seconds")


@pytest.fixture(scope="module", autouse=True)
def known(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("CARDIO_PLUGINS", "heart_sounds")
        if not entry_points(group="cardio.plugins", name="heart_sounds"):
            name, version = ABOUT["name"], ABOUT["version"]
            about = tmp_path_factory.mktemp("about") / f"cardio_heart_sounds-{version}.dist-info"
            about.mkdir()
            (about / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
            (about / "entry_points.txt").write_text(ENTRY)
            added = os.pathsep.join([str(about.parent), str(HERE / "src")])
            patch.syspath_prepend(about.parent)
            patch.setenv("PYTHONPATH", added, prepend=os.pathsep)
        yield
