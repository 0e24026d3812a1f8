"""Start an encoder from an earlier task, or from a local file of ImageNet weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_core.api import DataError
from cardio_ecg_transfer.models.weights import load_backbone

if TYPE_CHECKING:
    from cardio_core.api import Context
    from cardio_ecg_transfer.models.resnet import BeatResNet
    from cardio_ecg_transfer.response.rows import Row

EARLIER = "aami_beats"


def start_from_earlier(encoder: BeatResNet, row: Row, ctx: Context) -> str:
    """Copy the earlier task's encoder into this one, and say in one sentence what was copied.

    Raises
    ------
    DataError
        If depth or width differ; the message says what to run.
    """
    earlier = ctx.need(EARLIER, row.earlier_row)
    stands_in = earlier.path.is_file()
    file = earlier.path if stands_in else earlier.path / "weights.safetensors"
    try:
        copied = load_backbone(encoder, file)
    except DataError as error:
        raise DataError(
            f"{error}; run {EARLIER} with the depth, width and picture size of this run "
            "(the same --config), or leave --from out"
        ) from error
    source = file.name if stands_in else f"{EARLIER}, row {row.earlier_row}"
    return f"encoder from {source}: {len(copied)} tensors copied"
