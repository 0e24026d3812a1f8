"""Preprocess for `crt_response`: the left ventricle found, its wall sampled over the cycle."""

from __future__ import annotations

from dataclasses import dataclass

from cardio_core.api import Context, DataError, SampleSet
from cardio_spect_polar.phase.geometry import SampledWall
from cardio_spect_polar.phase.sampling import SampledHeart, sample_heart, with_base_moved
from cardio_spect_polar.readers.gated import Flag, State, flags_text, no_verdict, withheld
from cardio_spect_polar.response.config import PreprocessBlock

NO_RR = Flag("the RR interval is unknown: rates of filling and ejection are missing")


@dataclass(frozen=True)
class Heart:
    """A study's sampled wall, and the same with its base one slice lower and higher.

    Attributes
    ----------
    sampled : SampledHeart
    base_in, base_out : SampledWall or None
        Sampled with the base one slice nearer to the apex, and one further away; None where the
        wall cannot be found with that base.
    rr_ms : float or None
        RR interval that the gates divide; None where the study does not say.
    state : {"stress", "rest"} or None
        What the patient was at; None where nothing says so.
    """

    sampled: SampledHeart
    base_in: SampledWall | None
    base_out: SampledWall | None
    rr_ms: float | None = None
    state: State | None = None


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Sample the wall of each study; one that cannot be measured is quarantined with the reason.

    In fit mode a study without a verdict on its phases is quarantined as well; elsewhere it stays,
    its phases missing and the reason among its flags.

    Returns
    -------
    SampleSet
        Values: `Heart` objects. The table gains `flags`, `no_verdict` and `volumes_withheld`.
    """
    kept, values, about = [], [], []
    position = {str(name): i for i, name in enumerate(samples.table["recording_id"])}
    for recording_id, stack in samples.opened(ctx.quarantine):
        try:
            sampled = sample_heart(
                stack,
                mode=config.mode,
                rings=config.rings,
                correct_drop_off=config.correct_drop_off,
            )
        except DataError as error:
            ctx.quarantine(recording_id, str(error))
            continue
        found = (*stack.flags, *sampled.flags)
        if stack.rr_ms is None:
            found += (NO_RR,)
        without = withheld(found)
        why = without.get("phase")
        if why and ctx.mode == "fit":
            # A model learns phases; who has none is no patient to learn from.
            ctx.quarantine(recording_id, f"no verdict on its phases: {why}")
            continue
        kept.append(position[recording_id])
        base_in, base_out = (with_base_moved(sampled, n, mode=config.mode) for n in (1, -1))
        values.append(Heart(sampled, base_in, base_out, stack.rr_ms, stack.state))
        about.append((flags_text(found), no_verdict(found), "volumes" in without))
    table = samples.table.iloc[kept].copy()
    for place, name in enumerate(("flags", "no_verdict", "volumes_withheld")):
        table[name] = [row[place] for row in about]
    return SampleSet(table, values)
