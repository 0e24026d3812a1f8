"""Tables, lists and settings that the core reads: rows of patients, scores, digests, YAML."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..cases import CANARY, Reader, Seed

_ROWS = pd.DataFrame(
    {
        "patient_id": [f"P{n:02d}" for n in range(8)],
        "study_id": [f"S{n:02d}" for n in range(8)],
        "date": [f"2020-03-{n + 1:02d}" for n in range(8)],
        "age_y": [61.5, 70, 55, 48, 66, 71, 59, 80],
        "sex": list("MFMFMFMF"),
        "lvef_pct": [25.0, 31, 28, 40, 22, 35, 30, 27],
        "qrs_ms": [150, 162, 171, 140, 155, 168, 149, 180],
        "followup_days": [0] * 8,
        "x_note": ["a", "b", "", "d", "e", "f", "g", CANARY],
        "x_score": [0.1, 0.9, 0.4, 0.6, 0.3, 0.8, 0.2, 0.7],
        "x_event": [0, 1, 0, 1, 0, 1, 0, 1],
    }
)


def _csv(folder: Path) -> list[Seed]:
    made = []
    for mark, decimal in ((",", "."), (";", ","), ("\t", ".")):
        raw = _ROWS.to_csv(index=False, sep=mark, decimal=decimal).encode()
        made.append(Seed({"cohort.csv": raw}, "cohort.csv", "csv"))
    return made


def _parquet(folder: Path) -> list[Seed]:
    made = []
    for number, packed in enumerate(("snappy", None)):
        path = folder / f"{number}.parquet"
        _ROWS.to_parquet(path, compression=packed, index=False)
        made.append(Seed({"cohort.parquet": path.read_bytes()}, "cohort.parquet", "bytes"))
    return made


def _read_cohort(folder: Path, file: Path) -> list[str]:
    from cardio_core.io.cohort_table import inspect_cohort_table, read_cohort_table

    inspect_cohort_table(file)
    read_cohort_table(file)
    return []


def _read_scores(folder: Path, file: Path) -> list[str]:
    from cardio_stats.cli.options import read_table

    read_table(file)
    return []


def _settings(folder: Path) -> list[Seed]:
    from importlib.resources import files

    configs = files("cardio_spect_polar.configs")
    of_plugin = [(configs / f"{name}.yaml").read_bytes() for name in ("default", "cpu", "smoke")]
    return [Seed({"my.yaml": raw}, "my.yaml", "yaml") for raw in of_plugin]


def _read_settings(folder: Path, file: Path) -> list[str]:
    from cardio_core.runner.request import RunRequest
    from cardio_core.runner.setup import set_up

    set_up(RunRequest("spect_polar", None, (), str(file), protocol="honest", device="cpu",
                      executor="local:1"))  # fmt: skip
    return []


def _sums(folder: Path) -> list[Seed]:
    lines = [f"{n:02x}" * 32 + f"  records/{n}.dat" for n in range(12)]
    return [Seed({"SHA256SUMS.txt": "\n".join(lines).encode()}, "SHA256SUMS.txt", "text")]


def _read_sums(folder: Path, file: Path) -> list[str]:
    from cardio_core.io.datasets import read_sums

    if file.is_file():
        read_sums(file.read_bytes().decode("utf-8", errors="replace"))
    return []


def _truth(folder: Path) -> list[Seed]:
    from cardio_core.io.synthetic import write_truth

    path = folder / "truth.json"
    write_truth(path, {"kind": "beats", "seed": 0, "difficulty": "clear", "values": [1.0, 2.0]})
    return [Seed({path.name: path.read_bytes()}, path.name, "json")]


def _read_truth(folder: Path, file: Path) -> list[str]:
    from cardio_core.io.synthetic import difficulty_of, is_synthetic

    is_synthetic(folder)
    difficulty_of(folder)
    return []


def _figure(folder: Path) -> list[Seed]:
    from cardio_core.testing import drawn_svg

    raw = drawn_svg(lambda figure: figure.add_subplot().plot([0, 1], [1, 0]) and None).encode()
    return [Seed({"roc.svg": raw}, "roc.svg", "xml")]


def _read_figure(folder: Path, file: Path) -> list[str]:
    from cardio_core.report.svg import inline_svg

    if file.is_file():
        inline_svg(file.read_text(encoding="utf-8", errors="replace"), "f1", "a figure")
    return []


READERS = (
    Reader("cohort_csv", "Cohort table: CSV", _csv, _read_cohort),
    Reader("cohort_parquet", "Cohort table: Parquet", _parquet, _read_cohort),
    Reader("table_csv", "Table of `cardio stats`: CSV", _csv, _read_scores),
    Reader("table_parquet", "Table of `cardio stats`: Parquet", _parquet, _read_scores),
    Reader("settings", "Configuration: YAML", _settings, _read_settings, says_names=True, cost=4),
    Reader("published_sums", "Published list of a data set", _sums, _read_sums),
    Reader("truth", "truth.json of a synthetic cohort", _truth, _read_truth),
    Reader("figure", "A figure of a run: SVG", _figure, _read_figure, cost=2),
)
