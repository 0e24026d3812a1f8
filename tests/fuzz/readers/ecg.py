"""Valid ECGs in every format that `ecg_transfer` reads."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from ..cases import CANARY, Reader, Seed
from .recordings import opens

_WRITERS = Path(__file__).parents[3] / "plugins" / "ecg_transfer" / "tests"
_READ = opens("ecg_transfer", "crt_response")


@cache
def _recordings() -> tuple[tuple[Any, Any], ...]:
    from cardio_ecg_transfer.synthetic.patient import Noise, PatientSpec
    from cardio_ecg_transfer.synthetic.simulation import simulate

    spec = PatientSpec("lbbb", pvc_share=0.1, noise=Noise(20.0))
    return tuple(simulate(spec, 10.0, 100.0, seed=number) for number in (1, 2))


def _written(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, _WRITERS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _single(folder: Path, suffix: str, kind: str, write: Any) -> list[Seed]:
    made = []
    for number, (ecg, truth) in enumerate(_recordings()):
        path = folder / f"{CANARY}{suffix}"
        write(path, ecg, truth, number)
        made.append(Seed({path.name: path.read_bytes()}, path.name, kind))
    return made


def _dicom(folder: Path) -> list[Seed]:
    from cardio_ecg_transfer.synthetic.writers import write_dicom

    return _single(
        folder, ".dcm", "dicom", lambda path, ecg, truth, _: write_dicom(path, ecg, truth)
    )


def _muse(folder: Path) -> list[Seed]:
    def write(path: Path, ecg: Any, truth: Any, number: int) -> None:
        _written("write_muse").write_muse(path, ecg, truth)
        name = f"<PatientLastName>{CANARY}</PatientLastName>"
        patient = f"<PatientDemographics>{name}</PatientDemographics>"
        text = path.read_text("iso-8859-1").replace("<RestingECG>", "<RestingECG>" + patient, 1)
        path.write_text(text, encoding="iso-8859-1")

    return _single(folder, ".xml", "xml", write)


def _edf(folder: Path) -> list[Seed]:
    def write(path: Path, ecg: Any, truth: Any, number: int) -> None:
        _written("write_edf").write_edf(path, ecg)
        raw = bytearray(path.read_bytes())
        raw[8:88] = f"X F 01-JAN-1961 {CANARY}".ljust(80).encode()
        path.write_bytes(raw)

    return _single(folder, ".edf", "bytes", write)


def _csv(folder: Path) -> list[Seed]:
    def write(path: Path, ecg: Any, truth: Any, number: int) -> None:
        head = ",".join(f"{lead} [mV]" for lead in ecg.leads)
        rows = [",".join(f"{x:.3f}" for x in row) for row in ecg.signal_mv.T[:850]]
        path.write_text("\n".join(["# rate_hz=100", head, *rows]) + "\n")

    return _single(folder, ".csv", "csv", write)


def _wfdb(folder: Path) -> list[Seed]:
    from cardio_ecg_transfer.synthetic.writers import write_wfdb

    made = []
    for number, (ecg, truth) in enumerate(_recordings()):
        write_wfdb(folder, CANARY, ecg, truth, fmt=("16", "212")[number])
        header = folder / f"{CANARY}.hea"
        header.write_text(header.read_text() + f"# <name>: {CANARY}\n")
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        kinds = (("hea", "text"), ("hea", "text"), ("dat", "bytes"), ("atr", "bytes"))
        made += [Seed(files, f"{CANARY}.{suffix}", kind) for suffix, kind in kinds]
    return made


def _cart(name: str, suffix: str, kind: str, n_leads: int = 12) -> Any:
    """Return what makes the valid files of a format that the extra [carts] reads."""

    def make(folder: Path) -> list[Seed]:
        from dataclasses import replace

        writers = _written("write_carts")

        def write(path: Path, ecg: Any, truth: Any, number: int) -> None:
            ecg = replace(ecg, signal_mv=ecg.signal_mv[:n_leads], leads=ecg.leads[:n_leads])
            getattr(writers, f"write_{name}")(path, ecg)

        return _single(folder, suffix, kind, write)

    return make


def _headers(folder: Path) -> list[Seed]:
    return [one for one in _wfdb(folder) if not one.target.endswith("atr")]


def _annotations(folder: Path) -> list[Seed]:
    return [one for one in _wfdb(folder) if one.target.endswith("atr")]


def _database(folder: Path) -> list[Seed]:
    """Two records, the tables of PTB-XL, and each of these tables to be damaged."""
    from cardio_ecg_transfer.synthetic.writers import write_wfdb

    files = {}
    lines = ["ecg_id,patient_id,age,sex,recording_date,device,site,scp_codes,filename_hr"]
    for number, (ecg, truth) in enumerate(_recordings(), start=1):
        write_wfdb(folder, f"0000{number}_hr", ecg, truth)
        code = ("NORM", "CLBBB")[number - 1]
        lines.append(f"{number},{number}.0,{50 + number}.0,{number - 1},1984-11-0{number} 09:17:34,"
                     f"\"AT-6 C {number}\",{number}.0,\"{{'{code}': 100.0, 'SR': 0.0}}\","
                     f"records500/00000/0000{number}_hr")  # fmt: skip
    files = {f"records500/00000/{path.name}": path.read_bytes() for path in folder.iterdir()}
    files["ptbxl_database.csv"] = ("\n".join(lines) + "\n").encode()
    files["scp_statements.csv"] = (
        b",description,diagnostic,diagnostic_class\nNORM,normal,1.0,NORM\nCLBBB,block,1.0,CD\n"
        b"SR,rhythm,,\n"
    )
    return [Seed(files, name, "csv") for name in ("ptbxl_database.csv", "scp_statements.csv")]


READERS = (
    Reader("ecg_dicom", "ECG: DICOM waveform", _dicom, _READ, cost=2),
    Reader("ecg_muse", "ECG: GE MUSE XML", _muse, _READ, cost=2),
    Reader("ecg_edf", "ECG: EDF", _edf, _READ, cost=2),
    Reader("ecg_csv", "ECG: CSV", _csv, _READ, cost=2),
    Reader("ecg_aecg", "ECG: HL7 aECG", _cart("aecg", ".xml", "xml"), _READ, cost=2),
    Reader("ecg_sierra", "ECG: Philips Sierra XML", _cart("sierra", ".xml", "xml"), _READ, cost=2),
    Reader("ecg_mortara", "ECG: Mortara ELI XML", _cart("mortara", ".xml", "xml"), _READ, cost=2),
    Reader("ecg_scp", "ECG: SCP-ECG", _cart("scp", ".scp", "bytes"), _READ, cost=2),
    Reader("ecg_mfer", "ECG: MFER", _cart("mfer", ".mwf", "bytes"), _READ, cost=2),
    Reader("ecg_ishne", "ECG: ISHNE", _cart("ishne", ".ecg", "bytes"), _READ, cost=2),
    Reader("ecg_kardia", "ECG: Kardia JSON", _cart("kardia", ".json", "json", 6), _READ, cost=2),
    Reader("ecg_wfdb", "ECG: WFDB header and signal", _headers, _READ, cost=2),
    Reader("ecg_annotations", "ECG: WFDB annotations of beats", _annotations,
           opens("ecg_transfer", "aami_beats", whole=True, mode="fit"), cost=3),
    Reader("ecg_ptbxl", "ECG: tables of PTB-XL", _database,
           opens("ecg_transfer", "crt_response", whole=True, mode="fit",
                 sets=("load.label=CD",)), cost=4),
    Reader("ecg_measured", "ECG: any format, read and measured",
           lambda folder: [one for make in (_dicom, _muse, _edf, _csv, _headers)
                           for one in make(_own(folder, make.__name__))],
           opens("ecg_transfer", "crt_response", measures=True), cost=40),
)  # fmt: skip


def _own(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name
