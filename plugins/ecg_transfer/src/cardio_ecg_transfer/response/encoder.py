"""Start an encoder from an earlier task, or from a local file of ImageNet weights."""

from __future__ import annotations

from cardio_core.api import Context, DataError, ModelArtifact
from cardio_ecg_transfer.networks.resnet import BeatResNet
from cardio_ecg_transfer.response.models import EARLIER, Recipe


def start_from_earlier(encoder: BeatResNet, recipe: Recipe, small_stem: bool, ctx: Context) -> str:
    """Copy the earlier task's encoder into this one, and say in one sentence what was copied.

    Raises
    ------
    DataError
        If the earlier encoder saw other pictures than this one will, or its depth or width
        differ; the message says what to run.
    """
    earlier = ctx.need(EARLIER, recipe.earlier_model)
    stands_in = earlier.path.is_file()
    if not stands_in:
        _check_pictures(earlier, small_stem)
    file = earlier.path if stands_in else earlier.path / "weights.safetensors"
    try:
        copied = ctx.load_backbone(encoder, file)
    except DataError as error:
        raise DataError(
            f"{error}; give both tasks the same depth and width (train.depth, train.width_mult, "
            f"and needs.{EARLIER}.settings.train likewise; a file of ImageNet weights has width 1)"
        ) from error
    source = f"the file {file.name}" if stands_in else f"{EARLIER}, model {recipe.earlier_model}"
    return f"encoder from {source}: {len(copied)} tensors copied"


def _check_pictures(earlier: ModelArtifact, small_stem: bool) -> None:
    """Refuse an encoder that was trained on pictures of several leads or of another kind."""
    about = earlier.read_json("model.json")
    channels, stem = about["channels"], bool(about["network"]["small_stem"])
    if channels == ["own:0"] and stem == small_stem:
        return
    raise DataError(
        f"the encoder of {EARLIER} was trained on {len(channels)} channel(s) "
        f"({', '.join(channels)}; small_stem={stem}), and this task shows it single leads of kind "
        f"own with small_stem={small_stem}; let this run make {EARLIER} "
        f"(--set needs.{EARLIER}.data=FOLDER), which sets it up alike"
    )
