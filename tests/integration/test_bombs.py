"""Files that are small on disk and gigabytes in memory are refused before they are unpacked.

Each is read while the process may take little more memory than it has: what were unpacked first
would end in a MemoryError, and none of the refusals is one.
"""

from __future__ import annotations

import resource
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from cardio_core.io.settings_schema import read_yaml
from cardio_core.types.artifact import load_estimator
from cardio_core.types.limits import require_weights
from cardio_core.types.samples import ID_COLUMNS, Opened, SampleSet
from cardio_ecg_transfer.readers import read_ecg
from cardio_spect_polar.readers.polar_map import read_polar_map
from cardio_spect_polar.readers.studies import gated_files, read_gated
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.tables import read_raw
from cardio_ultrasound import read_loop

from . import bombs

SPARE_BYTES = 900_000_000

LOOPS = {
    "npy": "within the 228 bytes",
    "npz_ratio": "at most 200 times the file's size, found 1027 times",
    "npz_size": "at most 4 GB unpacked, found 4.29 GB",
    "npz_small_array": "within the 128 bytes",
    "npz_false_size": "found a damaged one",
    "npz_overlapping": "some that overlap",
    "npz_of_members": "at most 10000 files",
    "npz_bzip2": "stored or deflated",
    "npz_nested": "found a damaged one",
    "hdf5_petabytes": "at most 16777216 pixels",
    "hdf5_chunk": "at most 256 MB, found 537 MB",
    "hdf5_stream": "that unpack to their size",
    "hdf5_twice": "gzip, lzf or not at all",
}
TABLES = {
    "table_columns": "at most 10000 columns, found 1000001",
    "table_cells": "at most 2000000 cells, found 3000002; leave out rows and columns, or raise the "
    "limit with CARDIO_LARGEST_GB=GIGABYTES",
    "parquet_rows": "at most 2000000 cells",
    "parquet_text": "a table of at most 50 MB",
    "parquet_columns": "at most 10000 columns",
    "gzip_table": "at most 200 times",
}
ECGS = {
    "wfdb": "at most 64000000 values",
    "xml_deep": "32 within each other",
    "xml_laughs": "without declarations",
    "ecg_csv": "titled by lead",
}
STACKS = {
    "nifti_shape": "at most 64000000 voxels",
    "nifti_tail": "at most 200 times",
    "nifti_extension": "at most 16 MB between header and voxels",
}
DEFLATED, FRAME = "not deflated", "expected 64 × 64 pixels of 1 samples, found 60000 × 60000"


def read_stack(path: Path) -> object:
    return read_gated(gated_files([path]))


def cases():
    for makers, read in ((LOOPS, read_loop), (TABLES, read_raw), (ECGS, read_ecg),
                         (STACKS, read_stack)):  # fmt: skip
        for name, words in makers.items():
            yield pytest.param(getattr(bombs, name), read, words, id=name)
    for kind, read in (("us", read_loop), ("nm", read_stack), ("nm", read_polar_map),
                       ("ecg", read_ecg)):  # fmt: skip
        for maker, words in ((bombs.dicom_deflated, DEFLATED), (bombs.dicom_frame, FRAME)):
            name = f"{maker.__name__}-{read.__name__}"
            yield pytest.param(partial(maker, kind=kind), read, words, id=name)
    yield pytest.param(bombs.polar_npy, read_polar_map, "within the 128 bytes", id="polar_npy")
    for n_samples, words in ((3 * 10**9, "at most 4 GB in one file"),
                             (2 * 10**8, "at most 64000000 values")):  # fmt: skip
        maker = partial(bombs.edf, n_samples=n_samples)
        yield pytest.param(maker, read_ecg, words, id=f"edf-{n_samples}")


@contextmanager
def little_memory():
    """Let this process take SPARE_BYTES more than it has, for a while."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + SPARE_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def refused(call, kind=DataError) -> str:
    with little_memory(), pytest.raises(kind) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("make", "read", "words"), list(cases()))
def test_a_recording_or_table_that_would_be_gigabytes_is_refused(
    make, read, words, tmp_path, monkeypatch
):
    if read is read_raw:
        monkeypatch.setenv("CARDIO_LARGEST_GB", "0.4")
    opened = Opened((make(tmp_path),), read)
    said = refused(lambda: opened[0])
    assert words in said
    assert "expected" in said
    assert "; " in said, "it says what to do"


@pytest.mark.parametrize(
    ("make", "read", "words"),
    [
        (bombs.estimator, load_estimator, "within the 128 bytes"),
        (bombs.weights, require_weights, "at most 4000000 bytes, found one that claims 90000000"),
    ],
)
def test_a_model_that_would_be_gigabytes_is_refused(make, read, words, tmp_path):
    file = make(tmp_path)
    assert words in refused(lambda: read(file))


def test_anchors_that_stand_for_a_billion_values_are_refused(tmp_path):
    text = bombs.laughing_yaml(tmp_path).read_text(encoding="utf-8")
    said = refused(lambda: read_yaml(text, "settings.yaml"), ConfigError)
    assert "anchors that stand for more than 100000 values" in said
    assert read_yaml("a: &a {b: 1}\nc: *a", "x") == {"a": {"b": 1}, "c": {"b": 1}}
    assert "anchors" in refused(lambda: read_yaml("a: &a [*a]", "x"), ConfigError)


def test_limits_that_are_raised_let_through_what_they_refused(tmp_path, monkeypatch):
    file = bombs.npz_size(tmp_path)
    monkeypatch.setenv("CARDIO_LARGEST_GB", "none")
    assert "CARDIO_LARGEST_GB: expected gigabytes above 0" in refused(
        lambda: read_loop(file), ConfigError
    )
    monkeypatch.setenv("CARDIO_LARGEST_GB", "8")
    assert "200 times" in refused(lambda: read_loop(file))


def test_a_bomb_among_recordings_is_set_aside_and_the_others_are_read(tmp_path):
    bomb = bombs.xml_laughs(tmp_path)
    good = tmp_path / "good.csv"
    beats = "".join(f"{1.0 if n % 250 < 3 else 0.01 * (n % 7)}\n" for n in range(2500))
    good.write_text(f"# rate_hz=250\nII [mV]\n{beats}", encoding="utf-8")
    ids = pd.DataFrame({name: ["bomb", "good"] for name in ID_COLUMNS}, index=["bomb", "good"])
    aside = {}
    samples = SampleSet.opening(ids, (bomb, good), read_ecg)
    read = dict(samples.opened(aside.__setitem__))
    assert list(read) == ["good"]
    assert "XML without declarations" in str(aside["bomb"])
