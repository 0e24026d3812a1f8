"""What a compressed frame says about itself: its size and its colours, before it is decoded.

References
----------
ITU-T T.81 (JPEG), T.87 (JPEG-LS), T.800 (JPEG 2000) A.5 and A.6; JFIF 1.02; Adobe TN 5116 (APP14).
"""

from __future__ import annotations

from dataclasses import dataclass

_SOI, _SOC = b"\xff\xd8", b"\xff\x4f"
_JP2 = b"\x00\x00\x00\x0cjP  "
_SIZ, _COD, _SOT = 0x51, 0x52, 0x90
# SOF0 to SOF15 without DHT, JPG and DAC, and SOF55 of JPEG-LS.
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _APP0, _APP14 = 0xDA, 0xE0, 0xEE


@dataclass(frozen=True, slots=True)
class Codestream:
    """A frame's own header.

    Attributes
    ----------
    n_rows, n_columns, n_components : int
        As the decoder will allocate them.
    knows_colours : bool
        Whether the stream itself says how its colours are coded, so that its decoder returns RGB
        whatever the header says. JPEG: a JFIF or Adobe marker; JPEG 2000: a transform of the
        components.
    """

    n_rows: int
    n_columns: int
    n_components: int
    knows_colours: bool = False


def read_codestream(data: bytes) -> Codestream | None:
    """Read the header of a JPEG, JPEG-LS or JPEG 2000 frame.

    Returns
    -------
    Codestream or None
        None where the header is damaged or of another kind.

    Examples
    --------
    >>> start = bytes.fromhex("ffd8" "ffc0000b 08 00f0 0140 01 011100")
    >>> read_codestream(start)
    Codestream(n_rows=240, n_columns=320, n_components=1, knows_colours=False)
    >>> read_codestream(b"no image") is None
    True
    """
    if data[:2] == _SOI:
        return _read_jpeg(data)
    if data[:8] == _JP2:  # not allowed in DICOM, but written by some and decoded by all
        data = data[max(data.find(_SOC + b"\xff\x51"), 0) :]
    if data[:2] == _SOC:
        return _read_jpeg_2000(data)
    return None


def starts_frame(data: bytes) -> bool:
    """Tell whether a fragment begins with the first marker of a frame."""
    return data[:2] in (_SOI, _SOC) or data[:8] == _JP2


def _read_jpeg(data: bytes) -> Codestream | None:
    size: tuple[int, int, int] | None = None
    knows_colours = False
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        length = int.from_bytes(data[place + 2 : place + 4])
        segment = data[place + 4 : place + 2 + length]
        if marker == _START_OF_SCAN or length < 2:
            break
        if (marker == _APP0 and segment.startswith(b"JFIF")) or (
            marker == _APP14 and segment.startswith(b"Adobe")
        ):
            knows_colours = True
        elif marker in _START_OF_FRAME and len(segment) >= 6:
            size = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5]), segment[5]
        place += 2 + length
    return None if size is None else Codestream(*size, knows_colours=knows_colours)


def _read_jpeg_2000(data: bytes) -> Codestream | None:
    size: tuple[int, int, int] | None = None
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        length = int.from_bytes(data[place + 2 : place + 4])
        segment = data[place + 4 : place + 2 + length]
        if marker == _SOT or length < 2:
            break
        if marker == _SIZ and len(segment) >= 36:
            x1, y1, x0, y0 = (int.from_bytes(segment[i : i + 4]) for i in (2, 6, 10, 14))
            size = y1 - y0, x1 - x0, int.from_bytes(segment[34:36])
        elif marker == _COD and len(segment) >= 5 and size is not None:
            return Codestream(*size, knows_colours=segment[4] == 1)
        place += 2 + length
    return None if size is None else Codestream(*size)
