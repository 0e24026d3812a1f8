"""The stability of a finished run: what was asked for, done, written, and told on one page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.compute.processes import one_thread
from cardio_core.io.hashing import digest
from cardio_core.io.places import shown_command
from cardio_core.io.run_artifact import RunKind
from cardio_core.runner.filling import filling
from cardio_core.runner.manifest import Manifest, first_entries, now
from cardio_core.runner.progress import Display, Echo
from cardio_stats.cells import write_table
from cardio_stats.errors import ConfigError
from cardio_stats.files import SafeName, file_in, replacing, write_json, write_text
from cardio_studies.left_out_sites import COLUMN
from cardio_studies.stability_setup import Again, Asked, finished, has_same, opened

NOTHING = (
    "stability: expected something to look at, found nothing; give --repeats N, --permute N, "
    "--leave-site-out or --learning-curve"
)


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at; 0 and False are not."""

    repeats: int = 0
    permute: int = 0
    leave_site_out: bool = False
    site: str = COLUMN
    learning_curve: bool = False

    def check(self) -> None:
        """Refuse what cannot be answered, before anything is prepared.

        Raises
        ------
        ConfigError
        """
        from cardio_studies.refits import FEWEST

        if not (self.repeats or self.permute or self.leave_site_out or self.learning_curve):
            raise ConfigError(NOTHING)
        if self.repeats == 1 or self.repeats < 0:
            raise ConfigError(
                f"--repeats {self.repeats}: expected two or more; one repeat shows no spread, "
                "20 are usual"
            )
        if self.permute and self.permute < FEWEST:
            raise ConfigError(
                f"--permute {self.permute}: expected {FEWEST} or more, or no p-value can reach "
                ".05; 199 are usual"
            )


@one_thread()
def study_stability(
    run: Path, wanted: Wanted, asked: Asked, out: Path, echo: Echo, *, command: Sequence[str] = ()
) -> Path:
    """Fit a finished run again in the ways that were asked for, and write a page of what came.

    The run is read and never changed. Repeating the command in the same folder goes on where it
    stopped; asking for more keeps what is there.

    Parameters
    ----------
    run : Path
        A finished run with an honest protocol.
    wanted : Wanted
    asked : Asked
    out : Path
        A new or empty folder, or one that this wrote for the same run.
    echo : callable
    command : sequence of str
        As typed, for the page.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    ConfigError, DataError
        In one line.
    """
    wanted.check()
    made = finished(run)
    identity = digest([made["config_digest"], made["data"]["digest"], made["split_digest"]])
    first = first_entries(
        RunKind.STABILITY, out.name, command, of=run.name, identity=identity, notes=[]
    )
    with (
        filling(out, first, echo, resumes=True) as manifest,
        Display(echo, ("features",)) as say,
        opened(run, asked, out, manifest, say) as again,
    ):
        return _work(again, wanted, asked, out, manifest, shlex.join(shown_command(command)))


def _work(
    again: Again, wanted: Wanted, asked: Asked, out: Path, manifest: Manifest, command: str
) -> Path:
    from cardio_core.report.panels import write_panels
    from cardio_stats.figures import svg_text
    from cardio_studies import left_out_sites as sites
    from cardio_studies import refits as curve
    from cardio_studies import refits as permuting
    from cardio_studies import refits as repeats
    from cardio_studies import stability_page as panels

    task, made = again.task, again.made
    titles = {model.name: model.title for model in task.models}
    baselines = {model.name for model in task.models if model.baseline}
    found = []
    # What these data do not allow is said before anything is fitted.
    if wanted.leave_site_out:
        sites.with_sites(again, wanted.site)
    if wanted.learning_curve:
        curve.planned(again)
    if wanted.repeats:
        with manifest.stage("repeats"):
            repeated = repeats.repeat(again, wanted.repeats, executor=asked.executor)
        fixed = repeats.fixed_folds(again)
        found.append(panels.repeats_panel(repeated, titles, baselines, fixed=fixed))
    if wanted.permute:
        with manifest.stage("permutations"):
            permuted = permuting.permute(again, wanted.permute)
        found.append(panels.permuted_panel(permuted, titles, same=has_same(again)))
    if wanted.leave_site_out:
        with manifest.stage("sites"):
            by_site = sites.leave_site_out(again, column=wanted.site, executor=asked.executor)
        found.append(panels.sites_panel(by_site, titles))
    if wanted.learning_curve:
        with manifest.stage("learning curve"):
            learned = curve.learn(again)
        found.append(panels.curve_panel(learned, titles))
    drawn: dict[str, str] = {}
    for panel in found:
        for name, table in panel.tables.items():
            with replacing(file_in(out, "tables", SafeName(name, ".csv"))) as temporary:
                write_table(table, temporary, digits="%.6g")
        for name, drawing in panel.figures.items():
            drawn[name] = svg_text(drawing)
            write_text(file_in(out, "figures", SafeName(name, ".svg")), drawn[name])
    told = {panel.key: list(panel.found) for panel in found}
    write_json(out / "found.json", told)
    data = made["data"]
    page = write_panels(
        out / "report.html", found, drawn, title=f"Stability of {made['task_title']}",
        about=[
            f"run {made['name']}", f"{data['n_patients']} patients",
            "synthetic data" if data["source"] == "synthetic" else "real data", now()[:10],
        ],
        command=command, synthetic=data["source"] == "synthetic",
    )  # fmt: skip
    for panel in found:
        again.session.say(panel.found[0])
    manifest.close(told=told)
    again.session.say(f"Report: {page}")
    return page
