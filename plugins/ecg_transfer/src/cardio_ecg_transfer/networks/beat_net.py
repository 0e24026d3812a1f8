"""A small network over time that sees a beat in twelve leads at once, measurements beside it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

N_LEADS = 12
WIDTHS = (24, 32, 48)
N_MEASURED = 32
SPREAD_MV = 0.3
"""What counts as 1 in the network: about the standard deviation of a median beat."""


class _Residual(nn.Module):
    """Two convolutions over time, halving it, and the way around them."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(n_in, n_out, 5, stride=2, padding=2, bias=False)
        self.conv2 = nn.Conv1d(n_out, n_out, 5, padding=2, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm1d(n_out), nn.BatchNorm1d(n_out)
        self.around = nn.Conv1d(n_in, n_out, 1, stride=2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inside = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.around(x) + self.bn2(self.conv2(inside)))


class BeatNet(nn.Module):
    """A residual network over the median beat of twelve leads, joined by measurements.

    The first convolution looks at all leads, so that what one lead shows is read beside the others
    from the start. Mean and largest value over time stand for the beat.

    Parameters
    ----------
    n_measured : int
        Measurements beside the beat.
    dropout : float
        Share of the joined features dropped in training.
    n_outputs : int
        1 for a logit or a number, else one logit a class.

    Examples
    --------
    >>> net = BeatNet(229)
    >>> net({"beats": torch.zeros(3, 12, 121), "measured": torch.zeros(3, 229)}).shape
    torch.Size([3])
    """

    def __init__(self, n_measured: int, *, dropout: float = 0.4, n_outputs: int = 1) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(N_LEADS, WIDTHS[0], 7, padding=3, bias=False),
            nn.BatchNorm1d(WIDTHS[0]),
            nn.ReLU(),
        )
        pairs = zip((WIDTHS[0], *WIDTHS), WIDTHS, strict=False)
        self.layers = nn.Sequential(*(_Residual(n_in, n_out) for n_in, n_out in pairs))
        self.measured = nn.Sequential(
            nn.Dropout(0.75 * dropout), nn.Linear(n_measured, N_MEASURED), nn.ReLU()
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * WIDTHS[-1] + N_MEASURED, n_outputs)

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return one output a patient, or one a class.

        Parameters
        ----------
        inputs : mapping
            ``beats``, shape (n, 12, n_samples), in units of `SPREAD_MV`; ``measured``, shape
            (n, n_measured), standardised, 0 where missing.

        Returns
        -------
        Tensor, shape (n,) or (n, n_outputs)
        """
        maps = self.layers(self.stem(inputs["beats"]))
        parts = [maps.mean(dim=2), maps.amax(dim=2), self.measured(inputs["measured"])]
        outputs: torch.Tensor = self.classifier(self.dropout(torch.cat(parts, dim=1)))
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs


def changed_beats(
    beats: torch.Tensor,
    generator: torch.Generator,
    *,
    gain: float = 0.15,
    shift: int = 3,
    lead_dropout: float = 0.08,
    noise: float = 0.02,
) -> torch.Tensor:
    """Return beats changed as another recording of the heart would be.

    Parameters
    ----------
    beats : Tensor, shape (n, 12, n_samples)
    generator : torch.Generator
        Source of all randomness.
    gain : float
        Standard deviation of each lead's gain around 1 (0.5 to 1.5): electrodes a little aside.
    shift : int
        Most samples that a beat is moved in time; its edges repeat.
    lead_dropout : float
        Share of leads that become 0.
    noise : float
        Standard deviation of white noise.

    Examples
    --------
    >>> beats = torch.rand(2, 12, 30)
    >>> same = changed_beats(beats, torch.Generator().manual_seed(0), gain=0, shift=0,
    ...                      lead_dropout=0, noise=0)
    >>> bool((same == beats).all())
    True
    """
    n, n_leads, _ = beats.shape
    scale = 1 + gain * torch.randn(n, n_leads, 1, generator=generator)
    kept = torch.rand(n, n_leads, 1, generator=generator) >= lead_dropout
    moved = int(torch.randint(-shift, shift + 1, (1,), generator=generator))
    padded = functional.pad(beats, (shift, shift), mode="replicate") if shift else beats
    placed = padded[..., shift + moved : shift + moved + beats.shape[2]]
    changed = placed * scale.clamp(0.5, 1.5) * kept
    return changed + noise * torch.randn(beats.shape, generator=generator)
