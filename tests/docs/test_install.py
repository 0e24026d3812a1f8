"""Each distribution installs alone, and the page and the Makefile say what it takes."""

import json
import re
import subprocess
import sys

import pytest

from .test_commands import ROOT


@pytest.fixture(scope="module")
def install(of_benchmarks):
    return of_benchmarks("install_page")


@pytest.fixture(scope="module")
def sizes(of_benchmarks):
    return of_benchmarks("install_sizes")


@pytest.fixture(scope="module")
def stored(install):
    return json.loads(install.STORED.read_text(encoding="utf-8"))


def test_page_and_makefile_say_what_was_measured(install, stored):
    for path, text in install.rendered(stored).items():
        asked = f"{path.name}: run python benchmarks/install_page.py"
        assert path.read_text(encoding="utf-8") == text, asked


def test_every_distribution_ran_and_brought_no_strangers(sizes, stored):
    for name, one in stored.items():
        assert_stands_alone(sizes, name, one)


def test_the_sizes_of_the_demo_reach_the_makefile(install):
    one = {
        "megabytes": 7700, "downloaded_megabytes": 9900, "n_packages": 90, "installed_s": 61,
        "ran": "cardio run --smoke", "ran_s": 40, "present": ["torch"], "date": "2026-01-02",
        "commit": "abc", "machine": "a machine", "load_before": 0.1,
        "largest_megabytes": {"torch": 700, "monai": 16},
    }  # fmt: skip
    page, make = install.rendered({install.TOGETHER: one}).values()
    assert "| all of them, as `make demo` | 7,700 MB | 9,900 MB | 90 | 61 s |" in page
    assert "torch (700 MB)" in page
    assert "monai" not in page
    assert "**Not measured yet: `stats`, `core`, `ecg_transfer`, `echo_cmr`," in page
    assert "INSTALL_SIZE := 7.7 GB on disk, about 9.9 GB to download" in make


def test_every_extra_is_on_the_page_and_there(install):
    shown = re.findall(r"^\| `(\./\S+\])` \|", install.PAGE.read_text(encoding="utf-8"), re.M)
    assert sorted(shown) == sorted(install.declared_extras())


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install")
    subprocess.run([sys.executable, ROOT / ".ci" / "dist.py", folder / "ours"], check=True)
    return folder


PLUGINS = sorted(one.parent.name for one in ROOT.glob("plugins/*/pyproject.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stats", "core", *PLUGINS])
def test_from_wheels_in_a_fresh_environment(sizes, wheels, name):
    assert_stands_alone(sizes, name, sizes.measured(name, wheels))


def assert_stands_alone(sizes, name, one):
    """Its smallest run ended well, it brought no strangers, and torch is the one that is tested."""
    assert one["exit_code"] == 0, name
    assert one["strangers"] == [], name
    tested = "" if name in sizes.WITHOUT_TORCH else sizes.pinned_torch().removeprefix("torch==")
    assert one["torch"].partition("+")[0] == tested, name
