"""Features in memory and on disk."""

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.errors import MadeWrongError
from cardio_core.io.store import load_features, load_table, save_features, save_table
from cardio_core.testing import refuses
from cardio_core.types.features import Difference, FeatureBlock, FeatureSet, Pieces, concatenate
from cardio_stats.errors import DataError


def features(patient: str, n: int, seed: int = 0, scale: float = 0.5) -> FeatureSet:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "recording_id": f"r{patient}",
            "study_id": f"s{patient}",
            "patient_id": patient,
            "time_s": np.arange(n) / 3,
            "flags": [None] + ["x"] * (n - 1),
        },
        index=pd.Index([f"r{patient}#{i}" for i in range(n)], name="sample_id"),
    )
    image = FeatureBlock(
        rng.integers(0, 255, (n, 2, 3), dtype=np.uint8),
        ("lead", "time"),
        ("I", "II"),
        ("dB",),
        scale,
        -80.0,
    )
    return FeatureSet(table, {"image": image})


def test_saved_features_come_back_equal_with_missing_text_missing(tmp_path):
    made = features("1", 4)
    save_features(tmp_path, made)
    back = load_features(tmp_path)
    pd.testing.assert_frame_equal(back.table, made.table, check_dtype=False)
    assert np.array_equal(back["image"].values[:], made["image"].values)
    assert back["image"].scale == 0.5
    assert back["image"].in_units([0]) == pytest.approx(
        made["image"].values[:1].astype(float) * 0.5 - 80
    )


def test_joined_patients_read_any_rows_in_any_order(tmp_path):
    parts = [features(str(i), n, seed=i) for i, n in enumerate([3, 1, 4])]
    for i, part in enumerate(parts):
        (tmp_path / str(i)).mkdir()
        save_features(tmp_path / str(i), part)
    joined = concatenate([load_features(tmp_path / str(i)) for i in range(3)])
    everything = np.concatenate([part["image"].values for part in parts])
    for rows in ([7, 0, 3, 3], slice(1, 6), np.arange(8)[::-1], np.arange(8) % 2 == 0):
        assert np.array_equal(joined["image"].values[rows], everything[rows])
    view = joined.view([6, 2, 0]).view([2, 0])
    assert np.array_equal(view["image"].values[:], everything[[0, 6]])
    assert list(view.table["patient_id"]) == ["0", "2"]


def test_a_joined_array_travels_as_paths_not_as_numbers(tmp_path):
    np.save(tmp_path / "big.npy", np.zeros((2000, 50)))
    pieces = Pieces([tmp_path / "big.npy"])
    assert pieces[5].shape == (50,)
    sent = pickle.dumps(pieces)
    assert len(sent) < 2000
    assert len(pickle.loads(sent)) == 2000  # noqa: S301  (made one line above)


def test_blocks_that_differ_in_their_description_are_not_joined():
    with pytest.raises(ValueError, match="'image' differs"):
        concatenate([features("1", 2), features("2", 2, scale=0.25)])


def test_a_feature_without_a_unit_is_refused():
    with refuses(MadeWrongError, code="unit"):
        FeatureBlock(np.zeros((2, 2)), ("column",), ("a", "b"), ("ms", ""))


@pytest.mark.parametrize(
    ("shape", "more", "words"),
    [
        ((1, 5), {"names": ("a", "b")}, "of 5 along 'm' has 2 name(s); give one to each"),
        ((1, 5), {"names": tuple("abcd")}, "of 5 along 'm' has 4 name(s); give one to each"),
        ((1,), {"axes": (), "names": ("a",)}, "of no axis has 1 name(s)"),
        ((1, 2), {"axes": ("m", "n")}, "of shape (1, 2) has 2 axes"),
        ((1, 2), {"units": ("1", "1", "1")}, "a FeatureBlock of 2 names has 3; give one for each"),
        ((1, 2), {"titles": ("A",)}, "of 1 axes and 2 names has 1 titles"),
        ((1, 2, 2), {"axes": ("m", "n"), "titles": ("A", "B")}, "of 2 axes and 2 names has 2"),
    ],
)
def test_names_units_and_titles_that_do_not_fit_the_array_are_refused(shape, more, words):
    fitting = {"axes": ("m",), "names": ("a", "b"), "units": ("1",)}
    with pytest.raises(MadeWrongError) as caught:
        FeatureBlock(np.zeros(shape), **fitting | more)
    assert words in str(caught.value)


def test_rows_and_table_must_agree():
    block = FeatureBlock(np.zeros((3, 1)), ("column",), ("a",), ("ms",))
    with refuses(MadeWrongError, "x", "4", "3", code="mismatch"):
        FeatureSet(features("1", 4).table, {"x": block})


def test_a_difference_of_a_measurement_that_no_block_has_is_refused():
    table, values = features("1", 1).table, np.zeros((1, 1))
    of_ef = {"ef_change": Difference("stress", "rest", of="ef")}
    change = FeatureBlock(values, ("column",), ("ef_change",), ("%",), differences=of_ef)
    with refuses(MadeWrongError, "ef_change", "ef", code="unknown"):
        FeatureSet(table, {"change": change})
    FeatureSet(table, {"change": change, "x": FeatureBlock(values, ("column",), ("ef",), ("%",))})


def test_a_table_keeps_numbers_to_the_last_bit(tmp_path):
    table = pd.DataFrame(
        {"patient_id": ["1", None], "time_s": [0.1 + 0.2, np.nan]}, index=["a", "b"]
    )
    save_table(tmp_path / "t.npz", table)
    back = load_table(tmp_path / "t.npz")
    assert back["time_s"].iloc[0] == 0.1 + 0.2
    assert back["patient_id"].isna().tolist() == [False, True]


def test_a_cohort_of_many_files_keeps_none_of_them_open_or_mapped(tmp_path):
    files = []
    for number in range(300):
        files.append(tmp_path / f"{number:03d}.npy")
        np.save(files[-1], np.full((2, 40), number, np.float32))
    pieces = Pieces(files)
    rows = np.arange(600)[::-3]
    assert np.array_equal(pieces[rows][:, 0], rows // 2)
    for table in ("/proc/self/maps", "/proc/self/fd"):
        held = Path(table)
        if held.is_file():
            assert str(tmp_path) not in held.read_text()
        elif held.is_dir():
            assert not [one for one in held.iterdir() if str(tmp_path) in os.path.realpath(one)]


def test_rows_of_every_kind_of_file_are_those_that_were_saved(tmp_path):
    rng = np.random.default_rng(0)
    parts = [
        rng.normal(size=(4, 3, 2)),
        np.asfortranarray(rng.normal(size=(3, 3, 2))),
        rng.normal(size=(2, 3, 2)).astype(np.float32),
        np.empty((0, 3, 2)),
        rng.normal(size=(5, 3, 2)).astype(">f8"),
    ]
    for number, part in enumerate(parts):
        np.save(tmp_path / f"{number}.npy", part)
    apart = [Pieces([tmp_path / f"{number}.npy"]) for number in range(len(parts))]
    whole = Pieces.joined([Pieces.joined(apart[:2]), *apart[2:]])
    everything = np.concatenate(parts)
    for rows in (slice(None), [13, 2, 3, 4, 4, -1], [], np.array([True] * 7 + [False] * 7)):
        assert np.array_equal(whole[rows], everything[rows])
    assert np.array_equal(whole[np.int64(-2)], everything[-2])
    with pytest.raises(IndexError):
        whole[[0, 14]]


def test_a_file_of_features_that_was_cut_off_is_noticed_when_it_is_opened(tmp_path):
    np.save(tmp_path / "cut.npy", np.zeros((10, 10)))
    content = (tmp_path / "cut.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(content[:-8])
    with pytest.raises(ValueError, match=r"cut\.npy.*\(10, 10\)"):
        Pieces([tmp_path / "cut.npy"])


def test_patients_of_a_cohort_share_what_is_said_of_their_features(tmp_path):
    for name in ("p1", "p2"):
        (tmp_path / name).mkdir()
        save_features(tmp_path / name, features(name, 3))
    one, other = (load_features(tmp_path / name)["image"] for name in ("p1", "p2"))
    assert one.names == ("I", "II")
    assert one.names is other.names


def test_a_description_that_is_damaged_is_named_each_time(tmp_path):
    (tmp_path / "blocks.json").write_text('{"measured": {"axes": 3}}')
    for _ in range(2):
        with refuses(DataError, "blocks.json", code="damaged"):
            load_features(tmp_path)
