"""What the README says of the plugin, counted and measured."""

import importlib.util
import json
import re
from pathlib import Path

HERE = Path(__file__).parents[1]
PACKAGE = HERE / "src" / "cardio_heart_sounds"


def test_the_readme_counts_the_lines_of_each_part():
    table = re.findall(
        r"^\| `([\w.]+)/?` \| (\d+) \|", (HERE / "README.md").read_text(), re.MULTILINE
    )
    assert len(table) == 7
    for part, n_lines in table:
        files = [PACKAGE / part] if part.endswith(".py") else sorted((PACKAGE / part).glob("*.*"))
        lines = [line for file in files for line in file.read_text().splitlines() if line.strip()]
        assert len(lines) == int(n_lines), part


def test_the_readme_shows_what_the_study_stored():
    spec = importlib.util.spec_from_file_location("study", HERE / "study.py")
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    stored = json.loads(study.STORED.read_text())
    assert study.rendered(stored) == study.README.read_text()
    assert {"easy, seed 0", "medium, seed 0", "hard, seed 0"} <= set(stored["auc"])
