"""`cardio data rpeaks`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cardio_core.errors import ConfigError, PluginError

Detector = Callable[..., dict[str, Any]]


@click.command()
@click.argument("record", type=click.Path(path_type=Path))
@click.option(
    "--channel",
    default="all",
    show_default=True,
    metavar="N|all",
    help="Lead to search, counted from 0; all searches them together.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rpeaks(record: Path, channel: str, as_json: bool) -> None:
    """Find the R peaks of RECORD: WFDB header, DICOM ECG or CSV.

    Prints sample numbers and times of the peaks, the lead in which they were placed, the rate and
    the polarity of the complexes.
    """
    number = _channel(channel)
    detect = find_detector()
    found = {"record": record.name} | detect(record, channel=number)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for line in summary(record.name, found):
        click.echo(line)


def find_detector() -> Detector:
    """Return the function of the first installed plugin that lends a tool named ``rpeaks``.

    Raises
    ------
    PluginError
        If none does; says which plugins could not be opened.
    """
    from cardio_core.compute.installing import install_plugin
    from cardio_core.registry import list_plugins, resolve

    broken = []
    for plugin in list_plugins():
        if plugin.info is None:
            broken.append(f"{plugin.name} cannot be opened: {plugin.reason}")
            continue
        if "rpeaks" in plugin.info.tools:
            detector: Detector = resolve(plugin.info.tools["rpeaks"])
            return detector
    why = f" ({'; '.join(broken)})" if broken else ""
    raise PluginError(
        f"no installed plugin finds R peaks; install one: {install_plugin('ecg_transfer')}{why}"
    )


def summary(name: str, found: dict[str, Any]) -> list[str]:
    """Return the text output: one line of facts, then the times in seconds."""
    times = [f"{time:.3f}" for time in found["times_s"]]
    n_up = sum(sign > 0 for sign in found["polarity"])
    facts = [f"{len(times)} R peaks", f"lead {found['lead']}", f"{found['rate_hz']:g} Hz"]
    if times:
        facts.append(f"{n_up} up, {len(times) - n_up} down")
    if found.get("heart_rate_bpm"):
        facts.append(f"{found['heart_rate_bpm']:.0f} per minute")
    flags = [f"  flag: {flag}" for flag in found.get("flags", ())]
    listed = [f"  {line}" for line in textwrap.wrap(" ".join(times), 96)]
    return [f"{name}: {', '.join(facts)}", *flags, *listed]


def _channel(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise ConfigError(f"--channel: expected a number from 0 or all, found {text!r}")
    return int(text)
