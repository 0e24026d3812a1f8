"""Every way in which a DICOM loop stores pixels comes back as the same grey levels and colours."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ultrasound import read_loop, write_us_loop

from . import us_files as us

FRAMES = us.moving_sector()
RGB = np.stack([FRAMES, FRAMES[:, ::-1] // 2, 255 - FRAMES], axis=-1)

# Row (in the middle of each bar) and colour of the bars of the SC_rgb files; the pydicom project
# publishes them with its files (tests/pixels/pixels_reference.py).
BARS = {
    5: (255, 0, 0),
    15: (255, 128, 128),
    25: (0, 255, 0),
    35: (128, 255, 128),
    45: (0, 0, 255),
    55: (128, 128, 255),
    65: (0, 0, 0),
    75: (64, 64, 64),
    85: (192, 192, 192),
    95: (255, 255, 255),
}


def luma(rgb: np.ndarray) -> np.ndarray:
    return rgb.astype(float) @ [0.299, 0.587, 0.114]


def jpeg(frame: np.ndarray, subsampling: int = 1, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=98, subsampling=subsampling, **options)
    data = buffer.getvalue()
    return data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize(
    ("photometric", "compression"),
    [
        ("YBR_FULL_422", None),
        ("YBR_FULL", None),
        ("RGB", None),
        ("MONOCHROME2", None),
        ("PALETTE COLOR", None),
        ("YBR_FULL", "rle"),
        ("RGB", "rle"),
        ("MONOCHROME2", "rle"),
        ("PALETTE COLOR", "rle"),
        ("YBR_FULL_422", "jpeg"),
        ("MONOCHROME2", "jpeg"),
    ],
)
def test_grey_levels_are_the_same_however_a_loop_was_written(tmp_path, photometric, compression):
    path = tmp_path / "made.dcm"
    frames = us.moving_texture() if compression == "jpeg" else FRAMES
    write_us_loop(path, frames, frame_rate_hz=50, photometric=photometric, compression=compression)
    assert pydicom.dcmread(path).PhotometricInterpretation == photometric
    difference = read_loop(path).stack().astype(int) - frames
    lossless = compression != "jpeg" and not photometric.startswith("YBR")
    assert np.abs(difference).max() <= (0 if lossless else 2)


def test_a_pixel_stored_as_monochrome1_is_dark_where_it_is_high(tmp_path):
    path = us.written(us.dataset(FRAMES, "MONOCHROME1"), tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_loop(path).stack(), 255 - FRAMES)


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_by_pixel_and_by_plane_are_the_same(tmp_path, planar):
    stored = np.moveaxis(RGB, -1, 1) if planar else RGB
    made = us.dataset(RGB, "RGB", PlanarConfiguration=planar, PixelData=stored.tobytes())
    loop = read_loop(us.written(made, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(loop.stack(colour=True), RGB)
    assert np.abs(loop.stack() - luma(RGB)).max() <= 1


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_uncompressed_transfer_syntaxes_give_the_same_frames(tmp_path, syntax):
    made = us.dataset(RGB, "RGB", syntax)
    little, explicit = syntax == ImplicitVRLittleEndian, syntax != ImplicitVRLittleEndian
    path = tmp_path / "a.dcm"
    made.save_as(path, enforce_file_format=True, little_endian=little, implicit_vr=not explicit)
    np.testing.assert_array_equal(read_loop(path).stack(colour=True), RGB)


def test_uncompressed_ybr_is_converted_as_the_standard_says(tmp_path):
    # PS3.3 C.7.6.3.1.2; red, green, blue, grey and their YBR_FULL by its equations.
    ybr = np.array([[76, 85, 255], [150, 44, 21], [29, 255, 107], [90, 128, 128]], np.uint8)
    rgb = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]], np.uint8)
    frames = np.broadcast_to(ybr[None, None], (2, 3, 4, 3))
    path = us.written(us.dataset(np.ascontiguousarray(frames), "YBR_FULL"), tmp_path / "a.dcm")
    loop = read_loop(path)
    assert np.abs(loop.frame(1, colour=True)[2].astype(int) - rgb).max() <= 2
    np.testing.assert_array_equal(loop.frame(1)[2], ybr[:, 0])


def test_twelve_bits_are_cut_to_their_upper_eight(tmp_path):
    wide = (FRAMES.astype(np.uint16) << 4) + 7
    made = us.dataset(FRAMES, BitsAllocated=16, BitsStored=12, HighBit=11)
    made.PixelData = wide.tobytes()
    np.testing.assert_array_equal(read_loop(us.written(made, tmp_path / "a.dcm")).stack(), FRAMES)


@pytest.mark.parametrize("n_bits", [8, 16])
def test_a_palette_is_applied_and_its_indices_are_not_taken_for_grey(tmp_path, n_bits):
    rng = np.random.default_rng(7)
    palette = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    made = us.dataset(FRAMES, "PALETTE COLOR")
    for channel, colour in enumerate(("Red", "Green", "Blue")):
        entries = palette[:, channel].astype(np.uint8 if n_bits == 8 else np.uint16)
        entries = entries * 257 if n_bits == 16 else entries
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, n_bits])
        setattr(made, f"{colour}PaletteColorLookupTableData", entries.tobytes())
    loop = read_loop(us.written(made, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(loop.stack(colour=True), palette[FRAMES])
    assert np.abs(loop.stack() - luma(palette[FRAMES])).max() <= 1


def as_us_loop(name: str, tmp_path: Path) -> Path:
    """Wrap the pixel data of a file that pydicom ships as a loop of two equal frames."""
    source = pydicom.dcmread(get_testdata_file(name))
    syntax = source.file_meta.TransferSyntaxUID
    shape = (2, source.Rows, source.Columns, 3)
    made = us.dataset(np.zeros(shape, np.uint8), source.PhotometricInterpretation, syntax)
    made.PlanarConfiguration = source.PlanarConfiguration
    if syntax.is_encapsulated:
        frame = next(generate_frames(source.PixelData, number_of_frames=1))
        made.PixelData = encapsulate([frame, frame])
    else:
        made.PixelData = source.PixelData * 2
    return us.written(made, tmp_path / "wrapped.dcm")


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("SC_rgb_dcmtk_+eb+cr.dcm", 0),  # RGB, not transformed, Adobe marker
        ("SC_rgb_dcmtk_+eb+cy+np.dcm", 5),  # YBR_FULL_422 (lossy)
        ("SC_rgb_dcmtk_+eb+cy+s4.dcm", 5),  # YBR_FULL
        ("SC_rgb_jpeg_dcmtk.dcm", 5),
        ("SC_rgb_jpeg_lossy_gdcm.dcm", 5),
        ("SC_rgb_gdcm_KY.dcm", 0),  # JPEG 2000
        ("SC_rgb_jls_lossy_line.dcm", 2),  # JPEG-LS, near lossless
        ("SC_rgb_jls_lossy_sample.dcm", 2),
        ("SC_rgb_rle.dcm", 0),
        ("SC_ybr_full_422_uncompressed.dcm", 5),
    ],
)
def test_the_bars_of_files_that_pydicom_ships_have_their_published_colours(
    tmp_path, name, tolerance
):
    loop = read_loop(as_us_loop(name, tmp_path))
    frame, grey = loop.frame(1, colour=True), loop.frame(1)
    for row, colour in BARS.items():
        assert np.abs(frame[row, 50].astype(int) - colour).max() <= tolerance, row
        assert abs(int(grey[row, 50]) - luma(np.array(colour))) <= tolerance + 1, row


@pytest.mark.parametrize("name", ["SC_jpeg_no_color_transform.dcm", "SC_rgb_jpeg_app14_dcmd.dcm"])
def test_colours_follow_what_the_decoder_returned_where_header_and_stream_differ(tmp_path, name):
    path = as_us_loop(name, tmp_path)
    expected = pydicom.pixels.pixel_array(get_testdata_file(name))
    assert np.abs(read_loop(path).frame(0, colour=True).astype(int) - expected).max() <= 1


def test_a_jpeg_of_ybr_that_the_header_calls_rgb_is_not_taken_for_rgb(tmp_path):
    smooth = np.broadcast_to(np.array([200, 60, 20], np.uint8), (2, 16, 16, 3)).copy()
    streams = [jpeg(frame, subsampling=0) for frame in smooth]  # Pillow writes JFIF, so YCbCr
    made = us.encapsulated(streams, smooth, JPEGBaseline8Bit, photometric="RGB")
    frame = read_loop(us.written(made, tmp_path / "a.dcm")).frame(1, colour=True)
    assert np.abs(frame.astype(int) - smooth[1]).max() <= 3


@pytest.mark.parametrize("header", ["YBR_RCT", "RGB", "YBR_FULL"])
def test_jpeg_2000_comes_back_as_rgb_whatever_the_header_says(tmp_path, header):
    streams = []
    for frame in RGB:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG2000", irreversible=False, no_jp2=True, mct=1)
        streams.append(buffer.getvalue())
    made = us.encapsulated(streams, RGB, JPEG2000Lossless, photometric=header)
    np.testing.assert_array_equal(
        read_loop(us.written(made, tmp_path / "a.dcm")).stack(colour=True), RGB
    )


def test_jpeg_ls_is_lossless(tmp_path):
    made = us.dataset(FRAMES)
    made.compress(JPEGLSLossless)
    np.testing.assert_array_equal(read_loop(us.written(made, tmp_path / "a.dcm")).stack(), FRAMES)


@pytest.mark.parametrize("has_table", [True, False])
def test_a_frame_in_several_fragments_is_put_together(tmp_path, has_table):
    streams = [jpeg(frame) for frame in FRAMES]
    whole = us.encapsulated(streams, FRAMES, JPEGBaseline8Bit)
    split = us.encapsulated(streams, FRAMES, JPEGBaseline8Bit)
    split.PixelData = encapsulate(streams, fragments_per_frame=3, has_bot=has_table)
    one = read_loop(us.written(whole, tmp_path / "one.dcm")).stack()
    three = read_loop(us.written(split, tmp_path / "three.dcm")).stack()
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("table", ["basic", "extended"])
def test_the_offset_table_tells_frames_whose_fragments_look_like_others(tmp_path, table):
    begins_like_a_frame = b"\xff\xd8" + bytes(30)
    comment = b"\xff\xfe" + (len(begins_like_a_frame) + 2).to_bytes(2) + begins_like_a_frame
    streams = [data[:2] + comment + data[2:] for data in map(jpeg, FRAMES)]
    cut = 6  # after the marker of the comment and its length
    items, offsets, at = [], [], 0
    for stream in streams:
        offsets.append(at)
        for part in (stream[:cut], stream[cut:]):
            items.append(b"\xfe\xff\x00\xe0" + len(part).to_bytes(4, "little") + part)
            at += len(items[-1])
    basic = np.array(offsets, "<u4").tobytes() if table == "basic" else b""
    head = b"\xfe\xff\x00\xe0" + len(basic).to_bytes(4, "little") + basic
    made = us.encapsulated(streams, FRAMES, JPEGBaseline8Bit)
    made.PixelData = head + b"".join(items) + bytes.fromhex("feffdde000000000")
    made["PixelData"].is_undefined_length = True
    if table == "extended":
        made.ExtendedOffsetTable = np.array(offsets, "<u8").tobytes()
        made.ExtendedOffsetTableLengths = np.array([len(s) for s in streams], "<u8").tobytes()
    loop = read_loop(us.written(made, tmp_path / "a.dcm"))
    plain = read_loop(
        us.written(us.encapsulated(streams, FRAMES, JPEGBaseline8Bit), tmp_path / "b.dcm")
    )
    np.testing.assert_array_equal(loop.stack(), plain.stack())


def test_pixel_data_without_its_last_delimiter_is_read(tmp_path):
    path = us.written(
        us.encapsulated([jpeg(f) for f in FRAMES], FRAMES, JPEGBaseline8Bit), tmp_path / "a.dcm"
    )
    data = path.read_bytes()
    assert data[-8:] == bytes.fromhex("feffdde000000000")
    path.write_bytes(data[:-8])
    assert read_loop(path).stack().shape == FRAMES.shape


def test_frames_are_chosen_as_by_a_slice(tmp_path):
    path = us.written(us.dataset(FRAMES), tmp_path / "a.dcm")
    loop = read_loop(path)
    np.testing.assert_array_equal(loop.stack(1, 6, 2), FRAMES[1:6:2])
    np.testing.assert_array_equal(loop.stack(-2), FRAMES[-2:])
    np.testing.assert_array_equal(loop.frame(4), FRAMES[4])
    assert list(loop.frames(5, 2)) == []
    with pytest.raises(ValueError, match="at least 1"):
        loop.frames(step=0)
    with pytest.raises(IndexError, match="frame 6"):
        loop.frame(6)


def test_the_real_loop_that_pydicom_ships_is_what_pydicom_decodes():
    path = Path(get_testdata_file("examples_ybr_color.dcm"))
    expected = pydicom.dcmread(path).pixel_array
    loop = read_loop(path)
    colour = loop.stack(colour=True)
    assert (loop.n_frames, loop.size, loop.colour_doppler) == (30, (240, 320), False)
    assert np.abs(colour.astype(int) - expected).max() <= 3
    # Where no channel was clipped, grey is the luma of the colours.
    clean = (expected.min(-1) > 0) & (expected.max(-1) < 255)
    assert np.abs(loop.stack()[clean] - luma(expected[clean])).max() <= 2


def test_a_compression_without_a_decoder_says_which_extra_brings_it(tmp_path):
    made = us.encapsulated([b"\xff\xd8\xff\xd9"] * 6, FRAMES, "1.2.840.10008.1.2.4.70")
    extra = r'pip install "./core/cardio-core\[dicom\]" .*core/cardio-core\[gdcm\]'
    with pytest.raises(DataError, match=extra):
        read_loop(us.written(made, tmp_path / "a.dcm"))


def test_video_inside_dicom_is_refused_with_what_to_do(tmp_path):
    made = us.encapsulated([b"\0\0"], FRAMES, "1.2.840.10008.1.2.4.102")
    with refuses(DataError, "a.dcm", "MPEG", "HEVC", code="unsupported"):
        read_loop(us.written(made, tmp_path / "a.dcm"))


def test_rle_frames_that_pydicom_compressed_are_read(tmp_path):
    made = us.dataset(RGB, "RGB")
    made.compress(RLELossless)
    loop = read_loop(us.written(made, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(loop.stack(colour=True), RGB)
