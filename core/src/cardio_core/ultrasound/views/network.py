"""A small residual network that says of a picture which view it shows."""

from __future__ import annotations

from torch import Tensor, nn

_PLANES = (16, 32, 64, 128)
_BLOCKS = (1, 2, 2, 2)


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(n_out)
        self.second = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(n_out)
        self.beside = (
            nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))
            if stride != 1 or n_in != n_out
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        made = self.second_norm(self.second(self.first_norm(self.first(x)).relu()))
        out: Tensor = (made + self.beside(x)).relu()
        return out


class ViewNetwork(nn.Module):
    """A residual network of seven blocks over single pictures.

    Parameters
    ----------
    n_classes : int
        Views.

    Examples
    --------
    >>> import torch
    >>> ViewNetwork(7)(torch.zeros(2, 64, 64)).shape
    torch.Size([2, 7])
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, _PLANES[0], 5, 2, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(_PLANES[0])
        blocks: list[nn.Module] = []
        n_in = _PLANES[0]
        for planes, n_blocks in zip(_PLANES, _BLOCKS, strict=True):
            for number in range(n_blocks):
                stride = 2 if number == 0 and planes != _PLANES[0] else 1
                blocks.append(_Block(n_in, planes, stride))
                n_in = planes
        self.blocks = nn.Sequential(*blocks)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(n_in, n_classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits, shape (n, n_classes), of pictures (n, rows, columns)."""
        seen = self.stem_norm(self.stem(pictures[:, None])).relu()
        logits: Tensor = self.last(self.drop(self.blocks(seen).mean(dim=(2, 3))))
        return logits
