"""The stability of a finished run: what was asked for, done, written, and told on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core import runs
from cardio_stats.errors import ConfigError
from cardio_studies.left_out_sites import COLUMN

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


@runs.one_thread()
def study_stability(
    run: Path,
    wanted: Wanted,
    out: Path,
    echo: runs.Echo,
    *,
    data: Sequence[Path] = (),
    needs_from: Mapping[str, Path] | None = None,
    device: str = "auto",
    executor: str = "local",
    command: Sequence[str] = (),
) -> Path:
    """Fit a finished run again in the ways that were asked for, and write a page of what came.

    The run is read and never changed. Repeating the command in the same folder goes on where it
    stopped; asking for more keeps what is there.

    Parameters
    ----------
    run : Path
        A finished run with an honest protocol.
    wanted : Wanted
    out : Path
        A new or empty folder, or one that this wrote for the same run.
    echo : callable
    data, needs_from, device, executor
        As for `reopen`.
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
    made = runs.finished(run, runs.RunKind.RUN, honest=True, fitted=True)
    identity = runs.digest([made["config_digest"], made["data"]["digest"], made["split_digest"]])
    with (
        runs.write_run(
            out, runs.RunKind.STABILITY, identity, command=command, echo=echo, of=run.name, notes=[]
        ) as writer,
        runs.Display(echo, ("features",)) as say,
        runs.reopen(
            run, writer.manifest, say, data=data, needs_from=needs_from, device=device,
            executor=executor,
        ) as again,
    ):  # fmt: skip
        return _work(again, wanted, writer)


def _work(again: runs.Reopened, wanted: Wanted, writer: runs.RunWriter) -> Path:
    from cardio_studies import left_out_sites as sites
    from cardio_studies import refits, stability_page

    task, made = again.task, again.made
    titles = {model.name: model.title for model in task.models}
    baselines = {model.name for model in task.models if model.baseline}
    stage, found = writer.manifest.stage, []
    # What these data do not allow is said before anything is fitted.
    if wanted.leave_site_out:
        sites.with_sites(again, wanted.site)
    if wanted.learning_curve:
        refits.planned(again)
    if wanted.repeats:
        with stage("repeats"):
            repeated = refits.repeat(again, wanted.repeats)
        fixed = refits.fixed_folds(again)
        found.append(stability_page.repeats_panel(repeated, titles, baselines, fixed=fixed))
    if wanted.permute:
        with stage("permutations"):
            permuted = refits.permute(again, wanted.permute)
        same = again.shares_folds
        found.append(stability_page.permuted_panel(permuted, titles, same=same))
    if wanted.leave_site_out:
        with stage("sites"):
            by_site = sites.leave_site_out(again, column=wanted.site)
        found.append(stability_page.sites_panel(by_site, titles))
    if wanted.learning_curve:
        with stage("learning curve"):
            learned = refits.learn(again)
        found.append(stability_page.curve_panel(learned, titles))
    synthetic = made["data"]["source"] == "synthetic"
    for panel in found:
        again.say(panel.found[0])
    return writer.publish_panels(
        found, title=f"Stability of {made['task_title']}", synthetic=synthetic,
        about=[
            f"run {made['name']}", f"{made['data']['n_patients']} patients",
            "synthetic data" if synthetic else "real data",
        ],
    )  # fmt: skip
