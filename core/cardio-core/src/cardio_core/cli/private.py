"""Who may read what a command writes of patients: its owner, and the group where that is asked."""

from __future__ import annotations

import os

import click

OWNER, GROUP = 0o077, 0o027
"""Permissions that are withheld: of all others, or of those outside the group."""


def _withhold(ctx: click.Context, _: click.Parameter, group_readable: bool) -> None:
    if ctx.resilient_parsing:  # a shell completes a word
        return
    before = os.umask(0o777)
    # Bits that the umask withholds already stay withheld: it may be stricter.
    os.umask(before | (GROUP if group_readable else OWNER))
    ctx.call_on_close(lambda: os.umask(before))


group_readable = click.option(
    "--group-readable", is_flag=True, expose_value=False, callback=_withhold,
    help="Let the group read what is written; without it, the owner alone.",
)  # fmt: skip
"""For each command that writes rows of patients: files get 600 and folders 700, or 640 and 750."""
