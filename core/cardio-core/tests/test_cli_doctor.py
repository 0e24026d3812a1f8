"""`cardio doctor`: everything is said, nothing but a broken core is an error."""

from __future__ import annotations

import json
import os
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cardio_core import registry
from cardio_core.cli.doctor import doctor, examine
from cardio_core.registry.diagnostics import requirements
from cardio_core.testing import names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(doctor, arguments)


@pytest.fixture(autouse=True)
def a_quiet_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CARDIO_DATA", raising=False)


def test_a_sound_installation_exits_with_0_and_names_its_parts():
    result = run()
    assert result.exit_code == 0
    for part in ("Python", "cardio-core", "processor", "memory", "torch", "gpu", "CARDIO_DATA"):
        assert part in result.output


def test_what_was_found_begins_in_one_column():
    lines = run().output.splitlines()
    heads = ("Python ", "platform ", "cardio-core ", "processor ", "cache ", "CARDIO_DATA ")
    found = [line for line in lines if line.startswith(heads)]
    assert len(found) == len(heads)
    assert {len(line) - len(line.partition(" ")[2].lstrip()) for line in found} == {14}


def test_the_json_holds_the_versions_that_the_metadata_hold():
    found = json.loads(run("--json").output)
    assert found["core"] == {
        "version": metadata.version("cardio-core"),
        "missing": [],
        "problem": None,
    }
    assert {row["name"] for row in found["extras"]} == {
        "train", "dicom", "gdcm", "video", "hdf5", "parquet", "dask", "onnx",
        "tensorboard", "mlflow",
    }  # fmt: skip


@pytest.fixture
def without(monkeypatch):
    """Let a package seem not to be installed."""
    there = metadata.version

    def call(lacking):
        def version(name: str) -> str:
            if name == lacking:
                raise metadata.PackageNotFoundError(name)
            return there(name)

        monkeypatch.setattr(metadata, "version", version)

    return call


def test_a_missing_extra_is_named_with_the_local_line_that_gets_it(without):
    without("skops")
    result = run()
    line = next(line for line in result.output.splitlines() if line.split()[:1] == ["train"])
    assert line.endswith('missing: skops; pip install "./core/cardio-core[train]"')
    assert result.exit_code == 0


def test_a_package_that_a_plugin_reaches_through_an_extra_of_the_core_counts_as_its_own():
    required = {one.name for one in requirements("cardio-ecg-transfer")}
    assert {"cardio-core", "torch", "safetensors", "wfdb"} <= required


def test_every_fault_of_a_plugin_stands_on_a_line(monkeypatch):
    reason = "plugin 'bad' (cardio-bad): INFO.name is 'b'; make them equal"
    more = ('requires a>=2, found 1; pip install "a>=2"',)
    broken = registry.Found("bad", "cardio-bad", "0.3", None, reason, more)
    monkeypatch.setattr(registry, "list_plugins", lambda: iter([broken]))
    lines = run().output.splitlines()
    first = lines.index("  bad 0.3  broken")
    assert lines[first + 1 : first + 3] == [f"    - {fault}" for fault in (reason, *more)]


def test_an_allow_list_is_named_because_it_hides_plugins(monkeypatch):
    monkeypatch.setenv("CARDIO_PLUGINS", "ecg_transfer")
    assert "CARDIO_PLUGINS hides all but: ecg_transfer" in run().output


def test_a_torch_that_does_not_load_is_said_and_is_no_failure(monkeypatch):
    def refuse() -> None:
        raise OSError("libtorch.so: cannot open shared object file")

    monkeypatch.setattr("cardio_core.compute.devices.torch_or_none", refuse)
    result = run()
    assert result.exit_code == 0
    assert names(result.output, "libtorch.so")


def test_no_plugin_at_all_says_how_to_get_one_from_the_checkout(monkeypatch):
    monkeypatch.setattr(registry, "list_plugins", lambda: iter([]))
    assert names(run().output, "pip install ./plugins/NAME")


def test_a_core_that_lacks_a_package_exits_with_1(without):
    without("scipy")
    result = run()
    assert result.exit_code == 1
    assert "broken: scipy not installed; pip install ./core/cardio-core" in result.output


def test_the_cache_is_measured_and_the_data_folder_is_looked_into(monkeypatch, tmp_path):
    (tmp_path / "cache/features").mkdir(parents=True)
    (tmp_path / "cache/features/a.npy").write_bytes(b"0" * 2_500_000)
    (tmp_path / "data/mitdb").mkdir(parents=True)
    (tmp_path / "data/mitdb/100.hea").touch()
    monkeypatch.setenv("CARDIO_DATA", str(tmp_path / "data"))
    found = examine()
    assert found["cache"]["size_mb"] == 2.5
    assert found["data"]["found"] == ["mitdb"]


def test_a_data_folder_that_does_not_exist_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("CARDIO_DATA", str(tmp_path / "nowhere"))
    assert "(no such folder)" in run().output


@pytest.fixture
def script(monkeypatch, tmp_path):
    """Put a script of the name `cardio` first on PATH, which starts a module."""

    def write(module: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        path = folder / "cardio"
        path.write_text(
            f"#!/usr/bin/python3\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
        )
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        return path

    return write


def test_a_script_of_another_distribution_is_warned_of_and_no_failure(
    script, monkeypatch, tmp_path
):
    path = script("cardio.app")
    assert "(cardio)" in examine()["script"]["problem"]
    about = tmp_path / "heart_tool-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: heart-tool\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[console_scripts]\ncardio = cardio.app:main\n")
    monkeypatch.syspath_prepend(tmp_path)
    result = run()
    assert result.exit_code == 0
    (line,) = (line for line in result.output.splitlines() if str(path) in line)
    assert "warning" in line and "heart-tool" in line and "python -m cardio_core" in line


def test_the_script_of_this_environment_or_of_another_one_of_ours_is_no_warning(script):
    path = script("cardio_core.cli.main")
    assert examine()["script"] == {"path": str(path), "problem": None}
    assert str(path) not in run().output


def test_where_no_script_is_on_the_path_there_is_nothing_to_warn_of(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert examine()["script"] == {"path": None, "problem": None}
