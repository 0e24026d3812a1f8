"""`cardio stats` imports what a command needs: most of its time on a small table was imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

COMMANDS = [
    "table1 FILE --by arm --columns qrs_ms,sex",
    "univariable FILE --outcome response --features qrs_ms,sex",
    "multivariable FILE --outcome response --features qrs_ms,lvef_pct",
    "incremental FILE --outcome response --base qrs_ms --add lvef_pct",
    "roc FILE --outcome response --score risk",
    "compare FILE --outcome response --scores risk,qrs_ms",
    "calibration FILE --outcome response --score risk",
    "agreement FILE --reference lvef_pct --measured lvef_cmr_pct",
]
CALL = """
import contextlib, io, json, sys
from cardio_core.cli.main import main
heavy, after = ("matplotlib", "sklearn", "statsmodels", "scipy.stats"), {}
for command in sys.argv[1:]:
    sys.argv = ["cardio", "stats", *command.split()]
    with contextlib.redirect_stdout(io.StringIO()):
        main()
    after[sys.argv[2]] = [name for name in heavy if name in sys.modules]
print(json.dumps(after))
"""


def test_commands_without_a_figure_import_nothing_heavy(file: Path) -> None:
    words = [command.replace("FILE", str(file)) for command in COMMANDS]
    done = subprocess.run(
        [sys.executable, "-c", CALL, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {command.split()[0]: [] for command in COMMANDS}


def test_a_long_computation_says_how_far_it_is(monkeypatch, capsys) -> None:
    """100 resamples a second: nothing for five seconds, then a line every five."""
    from cardio_stats._numerics.watching import tell, watched
    from cardio_stats.cli import options as reading

    now = 0.0
    monkeypatch.setattr(reading.time, "monotonic", lambda: now)
    with watched(reading.Progress()):
        for done in range(0, 2000, 100):
            tell("resamples", done, 2000)
            now += 1
    tell("resamples", 1999, 2000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "resamples: 500 of 2000, about 15 s left",
        "resamples: 1000 of 2000, about 10 s left",
        "resamples: 1500 of 2000, about 5 s left",
    ]


def test_the_statistics_need_no_framework_no_click_and_no_matplotlib() -> None:
    """They are installed alone as well: each of their names, but for papers read from YAML."""
    code = (
        "import sys\n"
        "for name in ('click', 'matplotlib', 'pydantic', 'yaml', 'pluggy'):\n"
        "    sys.modules[name] = None\n"
        "from cardio_stats import *\n"
        "from cardio_stats.forensics import grim, printed, search_2x2\n"
        "from cardio_stats.outcome import settle_outcome\n"
        "from cardio_stats.tables import read_typed\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'torch', 'cardio_core'})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


def test_the_commands_are_a_program_of_their_own(file: Path) -> None:
    def call(*words: str) -> tuple[int, str, str]:
        code = "from cardio_stats.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    code, shown, _ = call("roc", str(file), "--outcome", "response", "--score", "risk")
    assert code == 0
    assert "AUC" in shown
    code, _, refused = call("roc", str(file), "--outcome", "no_such", "--score", "risk")
    assert code == 3
    assert refused.startswith("Error: ")
    assert len(refused.splitlines()) == 1
    code, shown, _ = call("table1", "--help")
    assert "cardio-stats table1 cohort.csv --by responder" in shown
