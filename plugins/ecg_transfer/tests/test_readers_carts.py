"""What carts, Holter recorders and phones write, beside the same recording as WFDB."""

from __future__ import annotations

import base64
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cardio_ecg_transfer.readers import carts, is_recording, read_ecg
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.synthetic.patient import PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate
from cardio_ecg_transfer.synthetic.writers import write_wfdb

from . import write_carts as made
from .refused import refusal

decoder = pytest.importorskip("ecgdatakit", reason="the extra [carts] is not installed")

Write = Callable[[Path, Ecg], None]

WRITERS: dict[str, tuple[str, Write]] = {
    "aecg": ("one.xml", made.write_aecg),
    "sierra": ("one.xml", made.write_sierra),
    "sierra, plain": ("one.xml", lambda path, ecg: made.write_sierra(path, ecg, packed=False)),
    "mortara": ("one.xml", made.write_mortara),
    "scp": ("one.scp", made.write_scp),
    "scp, plain": ("one.scp", lambda path, ecg: made.write_scp(path, ecg, packed=False)),
    "mfer": ("one.mwf", made.write_mfer),
    "ishne": ("one.ecg", made.write_ishne),
    "kardia": ("one.json", made.write_kardia),
}
XML = ("aecg", "sierra", "mortara")
KARDIA_LEADS = 6


@cache
def recording(name: str, rate_hz: float = 500.0) -> Ecg:
    ecg, _ = simulate(PatientSpec("lbbb"), 10.0, rate_hz, seed=3)
    n_leads = KARDIA_LEADS if name == "kardia" else 12
    return replace(ecg, signal_mv=ecg.signal_mv[:n_leads], leads=ecg.leads[:n_leads], flags=())


def written(folder: Path, name: str, **options: object) -> Path:
    file, write = WRITERS[name]
    write(folder / file, recording(name), **options)
    return folder / file


def test_every_format_has_a_writer():
    assert {name.partition(",")[0] for name in WRITERS} == set(carts.FORMATS)


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_is_read_to_the_millivolts_of_its_wfdb_twin(tmp_path, name, rate_hz):
    file, write = WRITERS[name]
    ecg = recording(name, rate_hz)
    write(tmp_path / file, ecg)
    write_wfdb(tmp_path, "twin", ecg)  # in steps of 5 µV, too
    read, twin = read_ecg(tmp_path / file), read_ecg(tmp_path / "twin.hea")
    assert (read.leads, read.rate_hz) == (twin.leads, rate_hz)
    assert read.leads == STANDARD_LEADS[: len(read.leads)]
    np.testing.assert_allclose(read.signal_mv, twin.signal_mv, atol=1e-6)
    assert read.flags == ()


def test_a_rate_that_is_no_whole_number_is_kept(tmp_path):
    ecg = replace(recording("aecg"), rate_hz=257.8125)
    made.write_aecg(tmp_path / "a.xml", ecg)
    assert read_ecg(tmp_path / "a.xml").rate_hz == pytest.approx(257.8125, abs=1e-9)
    made.write_scp(tmp_path / "a.scp", replace(ecg, rate_hz=1e6 / 3003))
    assert read_ecg(tmp_path / "a.scp").rate_hz == pytest.approx(333.0003, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "option"), [("mfer", "missing"), ("ishne", "faults")], ids=["mfer", "ishne"]
)
def test_a_sample_that_is_marked_as_missing_is_none(tmp_path, name, option):
    ecg = read_ecg(written(tmp_path, name, **{option: (7, 3000)}))
    assert np.flatnonzero(np.isnan(ecg.signal_mv[5])).tolist() == [7, 3000]
    assert np.isfinite(np.delete(ecg.signal_mv, (7, 3000), axis=1)).all()


@pytest.mark.parametrize("share", [0.03, 0.4, 0.97])
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_cut_short_is_refused(tmp_path, name, share):
    path = written(tmp_path, name)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    refusal(path)


@pytest.mark.parametrize("name", WRITERS)
def test_an_empty_file_and_one_of_noise_are_refused(tmp_path, name):
    path = tmp_path / WRITERS[name][0]
    path.write_bytes(b"")
    refusal(path)
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    refusal(path)


@pytest.mark.parametrize("name", XML)
@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ATTLIST CHANNEL OFFSET CDATA "7">]>',
    ],
    ids=["entities", "a file", "attributes"],
)
def test_xml_that_declares_anything_is_refused(tmp_path, name, declared):
    path = written(tmp_path, name)
    head, _, body = path.read_text("utf-8").partition("\n")
    path.write_text(f"{head}\n{declared}\n{body}", encoding="utf-8")
    assert "declarations" in refusal(path)


def test_a_short_text_that_unpacks_to_more_than_any_lead_is_not_unpacked(tmp_path):
    # Runs of one byte: each code of 10 bits stands for up to 767 bytes.
    packed = made.lzw(bytes(3_300_000))
    assert len(packed) < 7_000
    made.write_sierra(tmp_path / "a.xml", recording("sierra"))
    text = (tmp_path / "a.xml").read_text("utf-8")
    before, _, after = text.partition("numberofleads='12'>")
    chunk = 2 * (struct.pack("<ihh", len(packed), 0, 0) + packed)
    text = (
        f"{before}numberofleads='12'>{base64.b64encode(chunk).decode()}<{after.partition('<')[2]}"
    )
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    assert "unpack to 3300000" in refusal(tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("name", "old", "new", "part"),
    [
        ("aecg", b"unit='uV'/><digits>", b"unit='mmHg'/><digits>", "unit of potential"),
        ("aecg", b"<scale value='5.0'", b"<scale value='0.0'", "unit of potential"),
        ("aecg", b"unit='s'/>", b"unit='min'/>", "damaged or incomplete"),
        ("aecg", b"<digits>", b"<digits>100 ", "leads that differ"),
        ("sierra", b"<resolution>5</resolution>", b"", "unit of potential"),
        ("sierra", b"durationperchannel='10000'", b"durationperchannel='10800'", "damaged"),
        ("mortara", b"UNITS_PER_MV='200'", b"UNITS_PER_MV='0'", "unit of potential"),
        ("mortara", b"DURATION='5000'", b"DURATION='4999'", "damaged"),
        ("mfer", b"\x0c\x04\x00\xfa", b"\x0c\x04\x01\xfa", "unit of potential"),
        ("mfer", struct.pack("<BBI", 4, 4, 5000), struct.pack("<BBI", 4, 4, 5001), "contradicts"),
        ("mfer", struct.pack("<BBI", 5, 4, 12), struct.pack("<BBI", 5, 4, 120_000),
         "120000"),
        ("ishne", struct.pack("<iii", 0, 5000, 522), struct.pack("<iii", 0, 5001, 522),
         "5001 samples"),
        ("kardia", b'"numLeads": 6', b'"numLeads": 1', "as the file says"),
        ("kardia", b'"duration": 10000', b'"duration": 30000', "as the file says"),
        ("kardia", b'"amplitudeResolution": 5000', b'"amplitudeResolution": 0',
         "unit of potential"),
    ],
)  # fmt: skip
def test_a_file_that_contradicts_itself_is_refused(tmp_path, name, old, new, part):
    path = written(tmp_path, name)
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new, 1))
    assert part in refusal(path)


def test_leads_that_were_not_recorded_together_are_refused(tmp_path):
    assert "2 different starts" in refusal(written(tmp_path, "scp, plain") and _late(tmp_path))


@pytest.mark.parametrize("packed", [True, False])
def test_a_reference_beat_is_put_back_into_what_is_left_without_it(tmp_path, packed):
    ecg, truth = simulate(PatientSpec("lbbb"), 10.0, 500.0, seed=3)
    peaks = tuple(round(500 * at_s) for at_s in truth.r_s if 0.4 < at_s < 9.6)
    assert len(peaks) > 8
    made.write_scp(tmp_path / "a.scp", ecg, packed=packed, beats=peaks)
    write_wfdb(tmp_path, "twin", ecg)
    read, twin = read_ecg(tmp_path / "a.scp"), read_ecg(tmp_path / "twin.hea")
    np.testing.assert_allclose(read.signal_mv, twin.signal_mv, atol=1e-6)


def _late(folder: Path) -> Path:
    made.write_scp(folder / "late.scp", recording("scp"), packed=False, starts=500)
    return folder / "late.scp"


def test_mortara_s_offset_has_no_known_meaning(tmp_path):
    assert "OFFSET" in refusal(written(tmp_path, "mortara", offset=3))


def test_samples_that_differ_from_their_checksum_are_flagged(tmp_path):
    path = written(tmp_path, "scp, plain")
    raw = bytearray(path.read_bytes())
    raw[-3000] ^= 1
    path.write_bytes(raw)
    assert read_ecg(path).flags == ("the file differs from its checksum",)


@pytest.mark.parametrize("name", WRITERS)
def test_a_claim_beyond_the_limit_is_refused(tmp_path, name):
    path = written(tmp_path, name)
    assert "at most 20000 values" in refusal(path, max_values=20_000)


def test_other_json_in_a_folder_is_no_recording(tmp_path):
    (tmp_path / "truth.json").write_text('{"seed": 1}')
    (tmp_path / "folder.json").mkdir()
    assert not any(map(is_recording, tmp_path.iterdir()))
    assert is_recording(written(tmp_path, "kardia"))


def test_the_package_s_network_and_filters_are_never_imported(tmp_path):
    path = written(tmp_path, "scp")
    code = (
        "import sys; from cardio_ecg_transfer.readers import read_ecg; "
        f"read_ecg({str(path)!r}); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "ecgdatakit.parsing.parsers.scp_ecg" in modules
    assert not {"torch", "ecgdatakit.processing", "ecgdatakit.anonymize"} & modules
    others = {one for one in modules if one.startswith("ecgdatakit.parsing.parsers.")}
    assert others == {"ecgdatakit.parsing.parsers.scp_ecg"}
