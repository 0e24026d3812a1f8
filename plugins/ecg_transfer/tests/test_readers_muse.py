"""GE MUSE XML: written here line by line, damaged, hostile, and synthetic ones."""

from __future__ import annotations

import base64
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from cardio_core.api import Context
from cardio_core.testing import names
from cardio_ecg_transfer.beats.load import load
from cardio_ecg_transfer.beats.models import AAMI_BEATS
from cardio_ecg_transfer.readers import guarded_xml, read_ecg
from cardio_ecg_transfer.shared.config import RecordingsBlock
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.synthetic.patient import Noise, PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate

from .refused import refusal
from .write_edf import write_edf
from .write_muse import STORED_LEADS, write_muse

N_SAMPLES = 5000
HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n'
PATIENT = (
    "<PatientDemographics><PatientID>4711</PatientID><PatientLastName>M\xfcller</PatientLastName>"
    "</PatientDemographics><Diagnosis><Waveform><WaveformType>Rhythm</WaveformType></Waveform>"
    "</Diagnosis>"
)
SAW = [50 * (i % 100) - 2500 for i in range(N_SAMPLES)]
BOMB = (
    '<!DOCTYPE RestingECG [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    + "".join(
        f'<!ENTITY {high} "{f"&{low};" * 10}">'
        for low, high in zip("bcdefgh", "cdefghi", strict=True)
    )
)


def lead(name: str = "II", values: list[int] = SAW, **fields: object) -> str:
    """A LeadData element; a field of None is left out."""
    data = struct.pack(f"<{len(values)}h", *values)
    content = {
        "LeadTimeOffset": 0,
        "LeadSampleCountTotal": len(values),
        "LeadAmplitudeUnitsPerBit": "4.88",
        "LeadAmplitudeUnits": "MICROVOLTS",
        "LeadID": name,
        "LeadSampleSize": 2,
        "LeadDataCRC32": zlib.crc32(data),
        "WaveFormData": base64.b64encode(data).decode(),
    } | fields
    inside = "".join(
        f"<{tag}>{text}</{tag}>\n" for tag, text in content.items() if text is not None
    )
    return f"<LeadData>{inside}</LeadData>"


def waveform(*leads: str, kind: str = "Rhythm", **fields: object) -> str:
    content = {
        "WaveformType": kind,
        "NumberofLeads": len(leads),
        "SampleBase": 500,
        "SampleExponent": 0,
    } | fields
    inside = "".join(
        f"<{tag}>{text}</{tag}>\n" for tag, text in content.items() if text is not None
    )
    return f"<Waveform>{inside}{''.join(leads)}</Waveform>"


def document(*waveforms: str, head: str = HEAD) -> str:
    return f"{head}<RestingECG>{PATIENT}{''.join(waveforms)}</RestingECG>\n"


def write(path: Path, text: str, encoding: str = "iso-8859-1") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_the_rhythm_is_read_in_millivolt_and_the_median_beat_is_not(tmp_path: Path) -> None:
    median = waveform(lead(values=[7] * 600), kind="Median")
    ecg = read_ecg(write(tmp_path / "a.xml", document(median, waveform(lead()))))
    assert (ecg.leads, ecg.rate_hz, ecg.duration_s, ecg.flags) == (("II",), 500.0, 10.0, ())
    # -2500 steps of 4.88 µV are -12.2 mV, the next sample is 50 steps or .244 mV higher.
    np.testing.assert_allclose(ecg.signal_mv[0, :3], [-12.2, -11.956, -11.712], atol=1e-6)
    np.testing.assert_allclose(ecg.signal_mv[0], np.array(SAW) * 0.00488, atol=1e-6)


def test_eight_stored_leads_become_twelve_by_einthoven_and_goldberger(tmp_path: Path) -> None:
    heights = dict(zip(STORED_LEADS, (100, 300, 5, 6, 7, 8, 9, 10), strict=True))
    pulse = [int(i % 500 == 0) for i in range(N_SAMPLES)]
    leads = [
        lead(name, [height * p for p in pulse], LeadAmplitudeUnitsPerBit=10)
        for name, height in heights.items()
    ]
    ecg = read_ecg(write(tmp_path / "a.xml", document(waveform(*leads))))
    assert ecg.leads == STANDARD_LEADS
    # I = 1 mV and II = 3 mV: III = 3 - 1, aVR = -(1 + 3)/2, aVL = 1 - 3/2, aVF = 3 - 1/2.
    np.testing.assert_allclose(ecg.signal_mv[:6, 500], [1, 3, 2, -2, -0.5, 2.5], atol=1e-6)
    assert ecg.flags == ("III derived", "aVR derived", "aVL derived", "aVF derived")


def test_seven_leads_stay_seven(tmp_path: Path) -> None:
    leads = [lead(name) for name in STORED_LEADS[:-1]]
    ecg = read_ecg(write(tmp_path / "a.xml", document(waveform(*leads))))
    assert (ecg.leads, ecg.flags) == (STORED_LEADS[:-1], ())


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.xml", "a.XML", "recording"])
def test_any_declared_encoding_and_any_suffix_is_read(
    tmp_path: Path, encoding: str, name: str
) -> None:
    head = HEAD.replace("ISO-8859-1", encoding.removesuffix("-sig"))
    path = write(tmp_path / name, document(waveform(lead()), head=head), encoding)
    assert read_ecg(path).leads == ("II",)


def test_base_and_exponent_make_the_rate_and_millivolts_are_known(tmp_path: Path) -> None:
    leads = lead(LeadAmplitudeUnits="MILLIVOLTS", LeadAmplitudeUnitsPerBit=".001")
    text = document(waveform(leads, SampleBase=5, SampleExponent=2))
    message = refusal(write(tmp_path / "b.xml", text))
    assert names(message, "positive", "LeadAmplitudeUnitsPerBit")
    ecg = read_ecg(write(tmp_path / "a.xml", text.replace(">.001<", ">0.001<")))
    assert ecg.rate_hz == 500.0
    assert ecg.signal_mv[0, 0] == pytest.approx(-2.5)


def test_blanks_and_lines_in_the_base64_are_no_part_of_it(tmp_path: Path) -> None:
    data = base64.b64encode(struct.pack(f"<{N_SAMPLES}h", *SAW)).decode()
    lines = "\r\n   ".join(data[i : i + 76] for i in range(0, len(data), 76))
    ecg = read_ecg(
        write(tmp_path / "a.xml", document(waveform(lead(WaveFormData=f"\n  {lines}\n"))))
    )
    np.testing.assert_allclose(ecg.signal_mv[0], np.array(SAW) * 0.00488, atol=1e-6)


def test_of_two_rhythms_the_one_with_more_leads_is_read_and_that_is_said(tmp_path: Path) -> None:
    text = document(waveform(lead("V3")), waveform(lead("I"), lead("II")))
    ecg = read_ecg(write(tmp_path / "a.xml", text))
    (flag,) = ecg.flags
    assert ecg.leads == ("I", "II") and names(flag, "1 of 2")


def test_another_checksum_and_an_electrode_that_was_off_are_flagged(tmp_path: Path) -> None:
    text = document(waveform(lead(), lead("V1", LeadDataCRC32=1), lead("V2", LeadOff="TRUE")))
    changed, off = read_ecg(write(tmp_path / "a.xml", text)).flags
    assert names(changed, "lead 2 of 3", "checksum") and names(off, "lead 3 of 3", "off")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (waveform(lead(), lead("V1", SAW[:-1])), "5000 samples in every lead"),
        (
            waveform(lead(), lead("V1", SAW[:4000], LeadSampleCountTotal=5000)),
            "5000 samples in lead 2 of 2, as its count says, found 4000",
        ),
        (waveform(lead(LeadSampleCountTotal=2**31)), "at most 64000000 values"),
        (waveform(lead(LeadSampleCountTotal=0)), "at least one lead and one sample"),
        (waveform(lead(LeadSampleCountTotal="-5")), "a number as LeadSampleCountTotal"),
        (waveform(lead(LeadSampleCountTotal="9" * 5000)), "a number as LeadSampleCountTotal"),
        (waveform(lead(LeadAmplitudeUnits="PARSECS")), "the unit MICROVOLTS or MILLIVOLTS"),
        (waveform(lead(LeadAmplitudeUnits=None)), "the unit MICROVOLTS or MILLIVOLTS"),
        (waveform(lead(LeadAmplitudeUnitsPerBit="0")), "a positive number"),
        (waveform(lead(LeadAmplitudeUnitsPerBit="nan")), "a positive number"),
        (waveform(lead(LeadAmplitudeUnitsPerBit=None)), "a positive number"),
        (waveform(lead(LeadSampleSize=4)), "samples of 2 bytes"),
        (waveform(lead(), SampleBase=None), "a sampling rate (SampleBase), found none"),
        (waveform(lead(), SampleBase=""), "a sampling rate (SampleBase), found none"),
        (waveform(lead(), SampleBase="fast"), "a sampling rate in numbers"),
        (waveform(lead(), SampleBase=0), "a sampling rate of 50 to 50000 Hz, found 0 Hz"),
        (waveform(lead(), SampleExponent="99"), "a sampling rate in numbers"),
        (waveform(lead(), SampleExponent=9), "a sampling rate of 50 to 50000 Hz"),
        (waveform(lead(WaveFormData="@@@@")), "text cut short or of another kind in lead 1 of 1"),
        (waveform(lead(WaveFormData="AAAAA")), "text cut short or of another kind in lead 1 of 1"),
        (waveform(lead(WaveFormData="AAA=\xe9")), "text cut short or of another kind"),
        (waveform(lead(WaveFormData="AA==")), "text cut short or of another kind"),
        (waveform(lead(WaveFormData="")), "found none in lead 1 of 1"),
        (waveform(lead(WaveFormData=None)), "found none in lead 1 of 1"),
        (waveform(lead(), lead("V1", LeadTimeOffset=2500)), "2 different starts"),
        (waveform(lead(), NumberofLeads=8), "8 leads, as NumberofLeads says, found 1"),
        (waveform(lead(), NumberofLeads="many"), "another number of leads"),
        (waveform(), "at least one lead (LeadData)"),
        (waveform(lead(), kind="Median"), "found none among 1 waveforms"),
        ("", "found none among 0 waveforms"),
        (
            waveform(lead() + "<SampleBase>250</SampleBase>"),
            "one SampleBase in its place, found tw",
        ),
        (waveform(*["<LeadData/>"] * 101), "at most 100 leads"),
        ("<a>" * 40 + "</a>" * 40, "at most 200000 elements, 32 within each other"),
        ("<a/>" * 200_000, "at most 200000 elements, 32 within each other"),
        (waveform(lead(values=SAW[:1000])), "at least 8 s of signal, found 2.0 s"),
        (waveform(lead(values=[3] * N_SAMPLES)), "flat lines in all 1 leads"),
    ],
)
def test_a_malformed_file_is_refused_in_words(tmp_path: Path, content: str, part: str) -> None:
    message = refusal(write(tmp_path / "a.xml", document(content)))
    assert part in message


def hostile() -> dict[str, str]:
    """Files that attack a parser, none longer than a few kilobytes before its lead."""
    named = f"{BOMB}]><RestingECG><Waveform><SampleBase>&i;</SampleBase></Waveform></RestingECG>"
    address = '<!DOCTYPE RestingECG [<!ENTITY x SYSTEM "{}">]><RestingECG>&x;</RestingECG>'
    default = '<!DOCTYPE RestingECG [<!ATTLIST a b CDATA "{}">]><RestingECG>{}</RestingECG>'
    return {
        "entity bomb": named,
        "external entity": address.format("file:///etc/hostname"),
        "entity at an address": address.format("http://localhost:9/x"),
        "parameter entity": '<!DOCTYPE RestingECG [<!ENTITY % p SYSTEM "x.dtd"> %p;]><RestingECG/>',
        "quadratic entity": f'<!DOCTYPE RestingECG [<!ENTITY a "{"a" * 5000}">]>'
        f"<RestingECG>{'&a;' * 1000}</RestingECG>",
        "default attribute": default.format("x" * 5000, "<a/>" * 1000),
    }


def memory_of_a_refusal(path: Path) -> tuple[str, int]:
    """Return the message and the peak of allocated bytes."""
    refusal(path)  # imports are no part of the measurement
    tracemalloc.start()
    try:
        message = refusal(path)
        return message, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", hostile())
def test_a_hostile_file_is_refused_in_little_memory(tmp_path: Path, kind: str) -> None:
    message, peak_bytes = memory_of_a_refusal(write(tmp_path / "a.xml", hostile()[kind]))
    assert names(message, "DOCTYPE")
    assert peak_bytes < 2_000_000


def _number(paths: list[Path], stem: str) -> str:
    """Return the id of a new recording: its number among those given."""
    return str([path.stem for path in paths].index(stem) + 1)


def test_hostile_files_of_a_cohort_are_quarantined_and_the_others_are_read(
    tmp_path: Path, recording: tuple
) -> None:
    text = {
        "right": document(waveform(lead("II"))),
        "length": document(waveform(lead("I"), lead("II", SAW[:-1]))),
        **{kind.replace(" ", "_"): content for kind, content in hostile().items()},
    }
    paths = [write(tmp_path / f"{name}.xml", content) for name, content in text.items()]
    for name, change in {"edf": b"10      ", "count": b"11      "}.items():
        path = tmp_path / f"{name}.edf"
        write_edf(path, recording[0])
        content = path.read_bytes()
        path.write_bytes(content[:236] + change + content[244:])
        paths.append(path)
    ctx = Context(AAMI_BEATS, hook="load", mode="predict", _inputs=tuple(paths))
    cohort = load(RecordingsBlock(), ctx)
    read = dict(cohort.samples.opened(ctx.quarantine))
    assert {name: ecg.duration_s for name, ecg in read.items()} == {
        _number(paths, "right"): 10.0,
        _number(paths, "edf"): 10.0,
    }
    refused = {item.recording_id: item.reason for item in ctx._quarantined}
    assert set(refused) == {_number(paths, p.stem) for p in paths} - set(read)
    assert all("expected" in reason and "\n" not in reason for reason in refused.values())


def test_an_external_entity_in_a_lead_is_refused_before_the_file_it_names_is_opened(
    tmp_path: Path,
) -> None:
    secret = write(tmp_path / "secret.txt", "DOE")
    head = f'<!DOCTYPE RestingECG [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    text = document(waveform(lead("&x;")), head=head)
    assert "DOE" not in refusal(write(tmp_path / "a.xml", text))


def test_an_undeclared_entity_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", document(waveform(lead("&x;"))))
    assert "well-formed XML" in refusal(path)


def test_the_dtd_beside_a_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path / "restecg.dtd", '<!ENTITY x "II">')
    assert "well-formed XML" in refusal(write(tmp_path / "a.xml", document(waveform(lead("&x;")))))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "found an empty file"),
        ("<ClinicalDocument xmlns='urn:hl7-org:v3'/>", "found the root ClinicalDocument"),
        ("<M\xfcller/>", "well-formed XML"),
        (f"<{'DOE' * 20}/>", "found another root"),
        ("DOE, JANE", "well-formed XML"),
        ('<?xml version="1.0" encoding="none-such"?><RestingECG/>', "well-formed XML"),
        ("<RestingECG>", "well-formed XML"),
    ],
)
def test_another_kind_of_file_is_named_or_refused(tmp_path: Path, text: str, part: str) -> None:
    message = refusal(write(tmp_path / "a.xml", text))
    assert part in message
    assert "DOE" not in message


def test_a_lost_file_and_one_beyond_the_limit_are_not_parsed(tmp_path: Path) -> None:
    assert "found none" in refusal(tmp_path / "lost.xml")
    path = tmp_path / "a.xml"
    with path.open("wb") as file:
        file.truncate(guarded_xml.MAX_BYTES + 1)
    message, peak_bytes = memory_of_a_refusal(path)
    assert names(message, 4_000_000, 4_000_001)
    assert peak_bytes < 200_000
    path = write(tmp_path / "b.xml", document(waveform(lead())))
    assert names(refusal(path, max_values=4999), 4999)


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.99])
def test_a_file_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    text = document(waveform(lead("I"), lead("II")))
    refusal(write(tmp_path / "a.xml", text[: int(kept * len(text))]))


@pytest.fixture(scope="module")
def recording() -> tuple:
    return simulate(PatientSpec("lbbb", pvc_share=0.1, noise=Noise(15.0)), 10.0, 500.0, seed=4)


def test_a_synthetic_ecg_comes_back_within_half_a_step(tmp_path: Path, recording: tuple) -> None:
    ecg, truth = recording
    write_muse(tmp_path / "made.xml", ecg, truth)
    back = read_ecg(tmp_path / "made.xml")
    assert (back.leads, back.rate_hz, back.duration_s) == (STANDARD_LEADS, 500.0, 10.0)
    error_mv = dict(zip(STANDARD_LEADS, np.abs(back.signal_mv - ecg.signal_mv).max(1), strict=True))
    half_step_mv = 0.5 * 0.00488 + 1e-6
    assert all(error_mv[name] <= half_step_mv for name in STORED_LEADS)
    # The roundings of I and II add up in III.
    assert all(error_mv[name] <= 2 * half_step_mv for name in ("III", "aVR", "aVL", "aVF"))
