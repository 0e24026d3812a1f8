"""What to type for what is lacking, after an installation from a folder and from a wheel."""

from __future__ import annotations

import json
from importlib import metadata

import pytest

from cardio_core.cli.doctor import examine
from cardio_core.compute import resource_errors as installing
from cardio_core.compute.resource_errors import core_named, install_extra, install_plugin
from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError

FOLDER = json.dumps({"dir_info": {"editable": True}, "url": "file:///home/me/cardio/core"})
WHEEL = json.dumps({"archive_info": {}, "url": "file:///tmp/cardio_core-0.2.0-py3-none-any.whl"})


@pytest.fixture
def installed(monkeypatch):
    """Let the core's record of its installation be this text."""

    def by(direct_url):
        class Planted:
            def read_text(self, name):
                return direct_url if name == "direct_url.json" else None

        monkeypatch.setattr(installing, "distribution", lambda name: Planted())

    return by


def test_from_a_folder_the_folders_are_named(installed):
    installed(FOLDER)
    assert core_named() == "./core/cardio-core"
    assert (
        install_extra("train") == 'pip install "./core/cardio-core[train]" in the cardio checkout'
    )
    assert install_plugin("echo_cmr") == "pip install ./plugins/echo_cmr"


@pytest.mark.parametrize("said", [WHEEL, None, "no json", "[]"])
def test_from_a_wheel_or_an_index_no_folder_is_named(installed, said):
    installed(said)
    assert core_named() == "cardio-core"
    assert install_extra("train") == 'pip install "cardio-core[train]"'
    assert install_plugin() == "pip install cardio_NAME-*.whl"


def test_what_was_never_installed_is_a_checkout(monkeypatch):
    def nowhere(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installing, "distribution", nowhere)
    assert core_named("dask") == "./core/cardio-core[dask]"


@pytest.mark.parametrize("said", [FOLDER, WHEEL])
def test_messages_follow_the_installation(installed, said, monkeypatch):
    from cardio_core.training import loggers as tracking
    from cardio_ultrasound.readers.limits import not_installed

    installed(said)
    asked = "./core/cardio-core" if said == FOLDER else "cardio-core"
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    with refuses(ConfigError, "mlflow") as error:
        tracking.Tracking.parse("mlflow:here")
    assert f'pip install "{asked}[mlflow]"' in str(error.value)
    assert f'pip install "{asked}[dicom]"' in str(not_installed("a loop", "pydicom", "dicom"))
    monkeypatch.setattr("cardio_core.cli.doctor._core", dict)
    assert {one["remedy"].partition("[")[0] for one in examine()["extras"]} == {
        f'pip install "{asked}'
    }
