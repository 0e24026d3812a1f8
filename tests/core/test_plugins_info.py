"""What `cardio plugins info` prints of a plugin, and how it leads further."""

from __future__ import annotations

import shlex

import pytest

from cardio_core.testing import call_cardio


def test_targets_that_differ_by_their_number_share_a_line():
    said = call_cardio("plugins", "info", "spect_polar").stdout
    assert "\n    target mfr_01 ... mfr_17: 17, each continuous (1)\n" in said
    assert "mfr_02" not in said
    assert "\n    target sex: binary (F, M)\n" in said
    listed = call_cardio("plugins", "info", "spect_polar", "--json").json["tasks"]
    assert sum(one["name"].startswith("mfr_") for task in listed for one in task["targets"]) == 17


@pytest.mark.parametrize("plugin", ["ecg_transfer", "spect_polar"])
def test_the_last_lines_lead_to_settings_and_columns(plugin):
    lines = call_cardio("plugins", "info", plugin).stdout.splitlines()[-2:]
    for line, kind in zip(lines, ("settings", "columns"), strict=True):
        words, _, tasks = line.removeprefix(f"  {kind}: cardio ").partition(" [--task ")
        assert words == f"plugins info {plugin} --{kind}"
        for task in tasks.removesuffix("]").split("|"):
            assert call_cardio(*shlex.split(words), "--task", task).exit_code == 0


def test_no_line_of_settings_is_longer_than_the_page_where_it_can_be_broken():
    said = call_cardio("plugins", "info", "ecg_transfer", "--settings").stdout
    assert [line for line in said.splitlines()[2:] if len(line) > 100 and " " in line.strip()] == []
    assert '\n        "trees", "kernels"' in said
