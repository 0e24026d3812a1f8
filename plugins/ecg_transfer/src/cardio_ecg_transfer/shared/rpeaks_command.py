"""`cardio data rpeaks`."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import click

from cardio_core.api import ConfigError


@click.command()
@click.argument("record", type=click.Path(path_type=Path))
@click.option(
    "--channel", default="all", show_default=True, metavar="N|all",
    help="Lead to search, counted from 0; all searches them together.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def rpeaks(record: Path, channel: str, as_json: bool) -> None:
    """Find the R peaks of RECORD: WFDB header, DICOM ECG or CSV.

    Prints sample numbers and times of the peaks, the lead in which they were placed, the rate and
    the polarity of the complexes.
    """
    found = {"record": record.name} | r_peaks_of(record, channel=_channel(channel))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for line in _summary(found):
        click.echo(line)


def _summary(found: dict[str, Any]) -> list[str]:
    """Return the text output: one line of facts, then the times in seconds."""
    times = [f"{time:.3f}" for time in found["times_s"]]
    n_up = sum(sign > 0 for sign in found["polarity"])
    facts = [f"{len(times)} R peaks", f"lead {found['lead']}", f"{found['rate_hz']:g} Hz"]
    if times:
        facts.append(f"{n_up} up, {len(times) - n_up} down")
    if found["heart_rate_bpm"]:
        facts.append(f"{found['heart_rate_bpm']:.0f} per minute")
    flags = [f"  flag: {flag}" for flag in found["flags"]]
    listed = [f"  {line}" for line in textwrap.wrap(" ".join(times), 96)]
    return [f"{found['record']}: {', '.join(facts)}", *flags, *listed]


def _channel(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise ConfigError(
            f"--channel: expected a number from 0 or all, found {text!r}", code="out_of_range"
        )
    return int(text)


def r_peaks_of(path: Path, *, channel: int | None = None) -> dict[str, Any]:
    """Find the R peaks of one recording.

    Parameters
    ----------
    path : Path
        Anything that `readers.read_ecg` reads.
    channel : int or None
        Use this lead only, counted from 0; None uses all leads together.

    Returns
    -------
    dict
        JSON-ready: `rate_hz`, `leads`, `lead` (in which the peaks were placed), `samples` (at the
        recording's own rate), `times_s`, `polarity` (1 or -1 for each beat),
        `pacing_spikes_s`, `heart_rate_bpm`
        (from the median RR interval; None below two beats), `flags`.

    Raises
    ------
    ConfigError
        If the recording has no such channel.
    DataError
        If the recording cannot be read.
    """
    from dataclasses import replace

    import numpy as np

    from cardio_ecg_transfer.readers import read_ecg
    from cardio_ecg_transfer.signal.pacing import beats_without_spikes

    ecg = read_ecg(path, min_duration_s=1.0)
    if channel is not None and not 0 <= channel < len(ecg.leads):
        raise ConfigError(
            f"--channel {channel}: expected 0 to {len(ecg.leads) - 1}, the leads are "
            + ", ".join(ecg.leads)
        )
    used = range(len(ecg.leads)) if channel is None else [channel]
    leads = tuple(ecg.leads[i] for i in used)
    _, peaks, pacing = beats_without_spikes(
        replace(ecg, signal_mv=ecg.signal_mv[list(used)], leads=leads)
    )
    rr_s = np.diff(peaks.times_s)
    return {
        "rate_hz": ecg.rate_hz,
        "leads": list(leads),
        "lead": leads[peaks.lead],
        "samples": peaks.samples.tolist(),
        "times_s": [round(float(t), 4) for t in peaks.times_s],
        "polarity": peaks.polarity.tolist(),
        "pacing_spikes_s": [round(float(t), 4) for t in pacing.times_s],
        "heart_rate_bpm": round(60 / float(np.median(rr_s)), 1) if rr_s.size else None,
        "flags": list(ecg.flags),
    }
