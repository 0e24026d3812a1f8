"""Random changes to a batch of spectrograms that leave the beat's class alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Augmentation:
    """How far a batch is changed; 0 everywhere changes nothing.

    Attributes
    ----------
    time_shift : float
        Largest shift along time, as a share of the width.
    time_stretch, frequency_stretch : float
        Largest relative change of either scale (.1 is 0.9 to 1.1).
    mask : float
        Longest masked stretch of time and of frequency, as a share of the axis; masked values
        become 0.
    contrast : float
        Largest relative change of the values' scale: a recorder with another noise floor.
    lead_dropout : float
        Probability that all channels of one lead become 0.
    side_noise : float
        Standard deviation of the noise added to the side features (logarithms of ratios).
    """

    time_shift: float = 0.0
    time_stretch: float = 0.0
    frequency_stretch: float = 0.0
    mask: float = 0.0
    contrast: float = 0.0
    lead_dropout: float = 0.0
    side_noise: float = 0.0


def augment_images(
    images: torch.Tensor,
    augmentation: Augmentation,
    generator: torch.Generator,
    *,
    n_leads: int = 1,
) -> torch.Tensor:
    """Return a changed copy of the pictures; each picture is changed differently.

    Parameters
    ----------
    images : Tensor of float, shape (n, channels, height, width)
        Pictures, frequency by time. Channels are ordered kind by kind, lead by lead within a kind,
        so that channel c belongs to lead c modulo `n_leads`.
    augmentation : Augmentation
        How far.
    generator : torch.Generator
        Source of all randomness.
    n_leads : int
        Leads among the channels.

    Returns
    -------
    Tensor of float, shape (n, channels, height, width)
        All channels of a picture are warped and masked alike.

    Notes
    -----
    Masks as in SpecAugment, Park et al., Interspeech 2019.

    Examples
    --------
    >>> pictures = torch.rand(2, 2, 8, 8)
    >>> same = augment_images(pictures, Augmentation(), torch.Generator().manual_seed(0))
    >>> bool((same == pictures).all())
    True
    """
    changed = _warped(images, augmentation, generator)
    scale = 1 + augmentation.contrast * _symmetric(len(images), generator)
    changed = changed * scale[:, None, None, None]
    if augmentation.mask > 0:
        for axis in (2, 3):
            changed = changed * _stretch_mask(changed.shape, axis, augmentation.mask, generator)
    if augmentation.lead_dropout > 0 and n_leads > 1:
        changed = changed * _lead_mask(changed.shape, n_leads, augmentation.lead_dropout, generator)
    return changed


def augment_side(
    side: torch.Tensor, augmentation: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Return the side features, shape (n, n_side), with normal noise added.

    Examples
    --------
    >>> augment_side(torch.ones(1, 2), Augmentation(), torch.Generator()).tolist()
    [[1.0, 1.0]]
    """
    if augmentation.side_noise <= 0:
        return side
    return side + augmentation.side_noise * torch.randn(side.shape, generator=generator)


def _symmetric(n: int, generator: torch.Generator) -> torch.Tensor:
    """Return n uniform numbers between -1 and 1."""
    return 2 * torch.rand(n, generator=generator) - 1


def _warped(
    images: torch.Tensor, augmentation: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Shift and stretch by picking the nearest row and column; edges repeat."""
    n, _, height, width = images.shape
    stretch = 1 + augmentation.time_stretch * _symmetric(n, generator)
    shift = augmentation.time_shift * width * _symmetric(n, generator)
    middle = (width - 1) / 2
    columns = (torch.arange(width) - middle) * stretch[:, None] + middle + shift[:, None]
    columns = columns.round().long().clamp(0, width - 1)
    tall = 1 + augmentation.frequency_stretch * _symmetric(n, generator)
    rows = (torch.arange(height) * tall[:, None]).round().long().clamp(0, height - 1)
    each = torch.arange(n)[:, None, None]
    # Advanced indices around the channel axis put it last; back to (n, channels, height, width).
    return images[each, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _stretch_mask(
    shape: torch.Size, axis: int, longest: float, generator: torch.Generator
) -> torch.Tensor:
    """Return 0 on one random stretch of an axis and 1 elsewhere, broadcastable to the pictures."""
    n, size = shape[0], shape[axis]
    length = torch.rand(n, generator=generator) * longest * size
    first = torch.rand(n, generator=generator) * (size - length)
    at = torch.arange(size)[None, :]
    kept = ((at < first[:, None]) | (at >= (first + length)[:, None])).float()
    return kept[:, None, :, None] if axis == 2 else kept[:, None, None, :]


def _lead_mask(
    shape: torch.Size, n_leads: int, probability: float, generator: torch.Generator
) -> torch.Tensor:
    """Return 0 for the channels of at most one lead per picture and 1 elsewhere."""
    n, n_channels = shape[:2]
    lost = torch.randint(n_leads, (n,), generator=generator)
    happens = torch.rand(n, generator=generator) < probability
    lead = torch.arange(n_channels) % n_leads
    return (~(happens[:, None] & (lead[None, :] == lost[:, None]))).float()[:, :, None, None]
