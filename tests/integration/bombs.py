"""Files that are small on disk and would be gigabytes in memory, each made by code.

Every maker takes a folder and returns the file to be read.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np

GIGA = 2**30
_BLOCK = 2**22


def zeros(n_bytes: int, start: bytes = b"") -> bytes:
    """Return the deflated stream of some bytes and many zeros; a block of zeros is packed once."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(_BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + block * (n_bytes // _BLOCK) + packer.flush()


def archive_of(name: bytes, packed: bytes, n_unpacked: int, *, n_names: int = 1) -> bytes:
    """Return a zip archive of one deflated member, under one name or several."""
    sizes = struct.pack("<LLL", 0, len(packed), n_unpacked)
    names = [name, *(b"%d.npy" % n for n in range(1, n_names))]
    body = b"PK\3\4" + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes
    body += struct.pack("<HH", len(name), 0) + name + packed
    directory = b"".join(
        b"PK\1\2" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sizes
        + struct.pack("<HHHHHLL", len(one), 0, 0, 0, 0, 0, 0) + one
        for one in names
    )  # fmt: skip
    end = struct.pack("<HHHHLLH", 0, 0, n_names, n_names, len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def npy_header(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    stream = io.BytesIO()
    about = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(stream, about)
    return stream.getvalue()


def npy(folder: Path) -> Path:
    file = folder / "a.npy"
    file.write_bytes(npy_header((4, 2**20, 2**20)) + b"\0" * 100)
    file.with_suffix(".json").write_text('{"frame_rate_hz": 50}')
    return file


def npz_ratio(folder: Path) -> Path:
    """A loop of the permitted 3 GB, all of it zeros, packed a thousandfold."""
    file = folder / "a.npz"
    packed = zeros(3 * GIGA, npy_header((3 * 2**10, 2**10, 2**10)))
    file.write_bytes(archive_of(b"beams.npy", packed, 3 * GIGA + 128))
    return file


def npz_size(folder: Path) -> Path:
    """More than 4 GB, and hardly packed at all: as far as its directory says."""
    file = folder / "a.npz"
    file.write_bytes(archive_of(b"beams.npy", bytes(100), 2**32 - 2))
    return file


def npz_small_array(folder: Path) -> Path:
    """A short array whose header claims a terabyte."""
    file = folder / "a.npz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("beams.npy", npy_header((4, 8, 8)) + bytes(256))
        archive.writestr("angles_rad.npy", npy_header((2**37,), "<f8"))
        archive.writestr("depths_mm.npy", npy_header((8,), "<f8") + bytes(64))
    return file


def npz_false_size(folder: Path) -> Path:
    """A directory that says 1 kB of a member that unpacks to 3 GB."""
    file = folder / "a.npz"
    packed = zeros(3 * GIGA, npy_header((3 * 2**10, 2**10, 2**10)))
    file.write_bytes(archive_of(b"beams.npy", packed, 1024))
    return file


def npz_overlapping(folder: Path) -> Path:
    """Two hundred names for one stream."""
    file = folder / "a.npz"
    packed = zeros(2**22, npy_header((4, 2**10, 2**10)))
    file.write_bytes(archive_of(b"beams.npy", packed, 2**18, n_names=200))
    return file


def npz_of_members(folder: Path) -> Path:
    file = folder / "a.npz"
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}.npy", b"")
    return file


def npz_bzip2(folder: Path) -> Path:
    """Python unpacks bzip2 in one go, whatever was asked for."""
    file = folder / "a.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("beams.npy", npy_header((2**4, 2**9, 2**9)) + bytes(2**22))
    return file


def npz_nested(folder: Path) -> Path:
    """An archive in an archive, under the name of the beams."""
    inner = npz_bzip2(folder).read_bytes()
    file = folder / "a.npz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("beams.npy", inner)
    return file


def hdf5(folder: Path, **options: object) -> Path:
    import h5py

    file = folder / "a.h5"
    with h5py.File(file, "w") as made:
        made.create_dataset("beams", dtype="u1", **options)
        made["angles_rad"] = np.linspace(-0.5, 0.5, options["shape"][1])
        made["depths_mm"] = np.linspace(1, 100, options["shape"][2])
        made["frame_rate_hz"] = 50.0
    return file


def hdf5_petabytes(folder: Path) -> Path:
    """Nothing written, and a petabyte claimed."""
    return hdf5(folder, shape=(2**16, 2**17, 2**17), chunks=(1, 2**8, 2**8), compression="gzip")


def hdf5_chunk(folder: Path) -> Path:
    """One chunk of 512 MB: it is unpacked for each frame."""
    return hdf5(folder, shape=(2**9, 2**10, 2**10), chunks=(2**9, 2**10, 2**10), compression="gzip")


def hdf5_stream(folder: Path) -> Path:
    """A chunk that claims 64 kB and unpacks to 1 GB."""
    import h5py

    file = hdf5(folder, shape=(4, 2**8, 2**8), chunks=(1, 2**8, 2**8), compression="gzip")
    packed = b"\x78\x9c" + zeros(GIGA) + struct.pack(">HH", GIGA % 65521, 1)
    with h5py.File(file, "r+") as made:
        for frame in range(4):
            made["beams"].id.write_direct_chunk((frame, 0, 0), packed)
    return file


def hdf5_twice(folder: Path) -> Path:
    """Packed twice: a million to one."""
    import h5py

    file = hdf5(folder, shape=(4, 8, 8))
    with h5py.File(file, "r+") as made:
        del made["beams"]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((1, 8, 8))
        plist.set_deflate(9)
        plist.set_deflate(9)
        space = h5py.h5s.create_simple((4, 8, 8))
        h5py.h5d.create(made.id, b"beams", h5py.h5t.STD_U8LE, space, plist)
    return file


def nifti_header(shape: tuple[int, ...], offset: int = 352, extension: bytes = bytes(4)) -> bytes:
    head = bytearray(348)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into(f"<{1 + len(shape)}h", head, 40, len(shape), *shape)
    struct.pack_into("<hh", head, 70, 4, 16)
    struct.pack_into("<8f", head, 76, 1, 6, 6, 6, 1, 1, 1, 1)
    struct.pack_into("<ff", head, 108, float(offset), 1.0)
    head[344:348] = b"n+1\0"
    return bytes(head) + extension


def nifti_shape(folder: Path) -> Path:
    file = folder / "a.nii.gz"
    file.write_bytes(gzip.compress(nifti_header((4096, 4096, 4096, 16))))
    return file


def gzip_zeros(start: bytes, n_bytes: int) -> bytes:
    """Return a gzip file of many parts, whose end tells of the last part alone."""
    return gzip.compress(start) + gzip.compress(bytes(_BLOCK)) * (n_bytes // _BLOCK)


def nifti_tail(folder: Path) -> Path:
    """A small stack with a gigabyte of zeros behind it."""
    file = folder / "a.nii.gz"
    file.write_bytes(gzip_zeros(nifti_header((16, 16, 8, 8)), GIGA // 4))
    return file


def nifti_extension(folder: Path) -> Path:
    """An extension of 2 GB between header and voxels."""
    file = folder / "a.nii.gz"
    large = b"\1\0\0\0" + struct.pack("<ii", 2**31 - 16, 0)
    start = nifti_header((16, 16, 8, 8), 2**20, large)
    file.write_bytes(gzip.compress(start + bytes(2**21)))
    return file


def polar_npy(folder: Path) -> Path:
    file = folder / "a.npy"
    file.write_bytes(npy_header((17, 2**40), "<f8"))
    return file


def dicom_start(sop_class: str, syntax: str) -> bytes:
    def element(number: int, kind: bytes, value: bytes) -> bytes:
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HH2sH", 2, number, kind, len(value)) + value

    inner = element(2, b"UI", sop_class.encode()) + element(3, b"UI", b"1.2.3")
    inner += element(0x10, b"UI", syntax.encode())
    head = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(inner))
    return bytes(128) + b"DICM" + head + inner


SOP = {
    "us": "1.2.840.10008.5.1.4.1.1.3.1",
    "nm": "1.2.840.10008.5.1.4.1.1.20",
    "ecg": "1.2.840.10008.5.1.4.1.1.9.1.1",
}


def dicom_deflated(folder: Path, kind: str) -> Path:
    """A private element of 1 GB of zeros, deflated."""
    file = folder / "a.dcm"
    sop = SOP[kind].encode() + b"\0" * (len(SOP[kind]) % 2)
    head = struct.pack("<HH2sH", 8, 0x16, b"UI", len(sop)) + sop
    head += struct.pack("<HH2sHL", 9, 0x1010, b"OB", 0, GIGA)
    file.write_bytes(dicom_start(SOP[kind], "1.2.840.10008.1.2.1.99") + zeros(GIGA, head))
    return file


def dicom_frame(folder: Path, kind: str) -> Path:
    """Small frames by the header, and 60,000 by 60,000 in the JPEG 2000 stream."""
    file = folder / "a.dcm"
    siz = struct.pack(">HHIIIIIIII", 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0)
    stream = b"\xff\x4f\xff\x51" + siz + struct.pack(">H3B", 1, 7, 1, 1) + b"\xff\x90" + bytes(64)

    def number(group: int, place: int, value: int) -> bytes:
        return struct.pack("<HH2sHH", group, place, b"US", 2, value)

    sop = SOP[kind].encode() + b"\0" * (len(SOP[kind]) % 2)
    body = struct.pack("<HH2sH", 8, 0x16, b"UI", len(sop)) + sop
    body += number(0x28, 2, 1) + struct.pack("<HH2sH", 0x28, 4, b"CS", 12) + b"MONOCHROME2 "
    body += struct.pack("<HH2sH", 0x28, 8, b"IS", 2) + b"2 "
    known = {0x10: 64, 0x11: 64, 0x100: 8, 0x101: 8, 0x102: 7, 0x103: 0}
    body += b"".join(number(0x28, place, value) for place, value in known.items())
    body += struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
    for item in (b"", stream, stream):
        body += struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item
    body += struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    file.write_bytes(dicom_start(SOP[kind], "1.2.840.10008.1.2.4.90") + body)
    return file


def edf(folder: Path, n_samples: int) -> Path:
    """A record of one sample, so often; the file has the length for it, as holes take no disk."""
    file = folder / "a.edf"
    head = b"0".ljust(8) + b" " * 160 + b"01.01.0101.01.01" + b"512".ljust(8) + b" " * 44
    head += str(n_samples // 10**4).encode().ljust(8) + b"10".ljust(8) + b"1".ljust(4)
    signal = b"ECG II".ljust(16) + b" " * 80 + b"mV".ljust(8) + b"-1".ljust(8) + b"1".ljust(8)
    signal += b"-100".ljust(8) + b"100".ljust(8) + b" " * 80 + b"10000".ljust(8)
    file.write_bytes(head + signal.ljust(256))
    with file.open("r+b") as stream:
        stream.truncate(512 + 2 * n_samples)
    return file


def wfdb(folder: Path) -> Path:
    file = folder / "a.hea"
    file.write_text("a 2 360 2147483647\na.dat 16 200 16 0 0 0 0 I\na.dat 16 200 16 0 0 0 0 II\n")
    with (folder / "a.dat").open("wb") as stream:
        stream.truncate(2**31 * 4)
    return file


def xml_deep(folder: Path) -> Path:
    file = folder / "a.xml"
    file.write_text("<RestingECG>" + "<a>" * 100_000)
    return file


def xml_laughs(folder: Path) -> Path:
    names = "abcdefghi"
    more = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in pairwise(names))
    file = folder / "a.xml"
    file.write_text(f'<!DOCTYPE RestingECG [<!ENTITY a "ha">{more}]><RestingECG>&i;</RestingECG>')
    return file


def ecg_csv(folder: Path) -> Path:
    """Columns without end, in a table of samples."""
    file = folder / "a.csv"
    file.write_text("# rate_hz=500\n" + "I [mV]," * 10**6 + "\n" + "0," * 10**6 + "\n")
    return file


def table_columns(folder: Path) -> Path:
    file = folder / "cohort.csv"
    file.write_text("patient_id" + ",x" * 10**6 + "\nP1" + ",1" * 10**6 + "\n")
    return file


def table_cells(folder: Path) -> Path:
    file = folder / "cohort.csv"
    file.write_text("patient_id,age\n" + "," * (3 * 10**6))
    return file


def parquet_rows(folder: Path) -> Path:
    """A million equal rows take 3 kB."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder / "cohort.parquet"
    part = pa.table({"patient_id": pa.array(["P"] * 2**20).dictionary_encode()})
    with pq.ParquetWriter(file, part.schema) as writer:
        for _ in range(3):
            writer.write_table(part)
    return file


def parquet_text(folder: Path) -> Path:
    """One text of a megabyte, repeated in ten thousand rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder / "cohort.parquet"
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10_000, np.int32)), ["P" * 2**20])
    pq.write_table(pa.table({"patient_id": texts}).replace_schema_metadata(None), file,
                   store_schema=False)  # fmt: skip
    return file


def parquet_columns(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder / "cohort.parquet"
    one = pa.array([1])
    pq.write_table(pa.table({f"x{n}": one for n in range(10_001)}), file)
    return file


def gzip_table(folder: Path) -> Path:
    file = folder / "cohort.csv"
    file.write_bytes(gzip_zeros(b"patient_id\n", GIGA // 4))
    return file


def estimator(folder: Path) -> Path:
    """A skops file with a terabyte of coefficients."""
    file = folder / "model.skops"
    with zipfile.ZipFile(file, "w") as archive:
        schema = {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode",
                  "type": "numpy", "file": "1.npy", "__id__": 1, "protocol": 2}  # fmt: skip
        archive.writestr("schema.json", json.dumps(schema))
        archive.writestr("1.npy", npy_header((2**37,), "<f8"))
    return file


def weights(folder: Path) -> Path:
    """A header of 100 MB, which would be parsed as JSON."""
    file = folder / "weights.safetensors"
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", 90_000_000))
        stream.truncate(90_000_008)
    return file


LYING = {
    "beyond the file": {"a": ("F32", [4], [0, 16])},
    "of each other": {"a": ("F32", [2], [0, 8]), "b": ("F32", [2], [4, 12])},
    "with a gap": {"a": ("F32", [1], [0, 4]), "b": ("F32", [1], [8, 12])},
    "of another shape": {"a": ("F32", [3, 1000], [0, 12])},
    "below zero": {"a": ("F32", [3], [-12, 0])},
    "of no type": {"a": ("F99", [3], [0, 12])},
    "of a shape that overflows": {"a": ("F32", [2**33, 2**33], [0, 12])},
}
"""Headers of twelve bytes of weights that say what is not so."""


def lying_weights(folder: Path, what: str) -> Path:
    """Weights whose header lies."""
    file = folder / "weights.safetensors"
    names = ("dtype", "shape", "data_offsets")
    lies = {name: dict(zip(names, one, strict=True)) for name, one in LYING[what].items()}
    header = json.dumps(lies).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(12))
    return file


def laughing_yaml(folder: Path) -> Path:
    """Anchors that repeat each other nine times over."""
    file = folder / "settings.yaml"
    lines = ['a: &a ["ha"]']
    for old, new in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]")
    file.write_text("\n".join([*lines, "models: *i", ""]))
    return file
