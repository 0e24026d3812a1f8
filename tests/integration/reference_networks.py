"""Published networks written down once more in plain torch, with torchvision's names.

They share no line with the networks of the plugins: what these must answer is measured with them.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional


class Bottleneck(nn.Module):
    def __init__(self, n_in, n_mid, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n_in, n_mid, 1, bias=False), nn.BatchNorm2d(n_mid)
        self.conv2 = nn.Conv2d(n_mid, n_mid, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_mid)
        self.conv3, self.bn3 = nn.Conv2d(n_mid, 4 * n_mid, 1, bias=False), nn.BatchNorm2d(4 * n_mid)
        self.downsample = None
        if stride != 1 or n_in != 4 * n_mid:
            self.downsample = nn.Sequential(
                nn.Conv2d(n_in, 4 * n_mid, 1, stride, bias=False), nn.BatchNorm2d(4 * n_mid)
            )

    def forward(self, x):
        way = functional.relu(self.bn1(self.conv1(x)))
        way = self.bn3(self.conv3(functional.relu(self.bn2(self.conv2(way)))))
        return functional.relu(way + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    def __init__(self, width=64, n_outputs=1000):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.relu, self.maxpool = nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        n_in = width
        for stage, n_blocks in enumerate((3, 4, 6, 3)):
            blocks = []
            for block in range(n_blocks):
                blocks.append(Bottleneck(n_in, width * 2**stage, 2 if stage and not block else 1))
                n_in = 4 * width * 2**stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(n_in, n_outputs)

    def maps(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x):
        return self.fc(self.avgpool(self.maps(x)).flatten(1))


class DenseLayer(nn.Module):
    def __init__(self, n_in, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(n_in), nn.Conv2d(n_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        way = self.conv1(functional.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(functional.relu(self.norm2(way)))], 1)


class DenseNet121(nn.Module):
    def __init__(self, first=64, growth=32, n_outputs=1000):
        super().__init__()
        parts = OrderedDict(
            conv0=nn.Conv2d(3, first, 7, 2, 3, bias=False),
            norm0=nn.BatchNorm2d(first),
            relu0=nn.ReLU(),
            pool0=nn.MaxPool2d(3, 2, 1),
        )
        n = first
        for block, n_layers in enumerate((6, 12, 24, 16), start=1):
            layers = OrderedDict()
            for layer in range(1, n_layers + 1):
                layers[f"denselayer{layer}"] = DenseLayer(n, growth)
                n += growth
            parts[f"denseblock{block}"] = nn.Sequential(layers)
            if block < 4:
                parts[f"transition{block}"] = nn.Sequential(
                    OrderedDict(
                        norm=nn.BatchNorm2d(n),
                        relu=nn.ReLU(),
                        conv=nn.Conv2d(n, n // 2, 1, bias=False),
                        pool=nn.AvgPool2d(2),
                    )
                )
                n //= 2
        parts["norm5"] = nn.BatchNorm2d(n)
        self.features = nn.Sequential(parts)
        self.classifier = nn.Linear(n, n_outputs)

    def maps(self, x):
        return functional.relu(self.features(x))

    def forward(self, x):
        return self.classifier(self.maps(x).mean((2, 3)))


def space_then_time(n_in, mid, n_out, stride=1):
    return nn.Sequential(
        nn.Conv3d(n_in, mid, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        nn.BatchNorm3d(mid),
        nn.ReLU(),
        nn.Conv3d(mid, n_out, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
    )


class VideoBlock(nn.Module):
    def __init__(self, n_in, n_out, stride):
        super().__init__()
        mid = n_in * n_out * 27 // (n_in * 9 + 3 * n_out)
        self.conv1 = nn.Sequential(
            space_then_time(n_in, mid, n_out, stride), nn.BatchNorm3d(n_out), nn.ReLU()
        )
        self.conv2 = nn.Sequential(space_then_time(n_out, mid, n_out), nn.BatchNorm3d(n_out))
        self.downsample = None
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(
                nn.Conv3d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm3d(n_out)
            )

    def forward(self, x):
        kept = x if self.downsample is None else self.downsample(x)
        return functional.relu(self.conv2(self.conv1(x)) + kept)


class R2Plus1D(nn.Module):
    def __init__(self, n_outputs=400, planes=(64, 128, 256, 512), mid=45):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, mid, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(mid),
            nn.ReLU(),
            nn.Conv3d(mid, planes[0], (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(planes[0]),
            nn.ReLU(),
        )
        n_in = planes[0]
        for stage, n_out in enumerate(planes, start=1):
            first = VideoBlock(n_in, n_out, 1 if stage == 1 else 2)
            setattr(self, f"layer{stage}", nn.Sequential(first, VideoBlock(n_out, n_out, 1)))
            n_in = n_out
        self.fc = nn.Linear(n_in, n_outputs)

    def maps(self, x):
        return self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))

    def forward(self, x):
        return self.fc(self.maps(x).mean((2, 3, 4)))


def lively(network, seed=0):
    """Give a network statistics unlike those that a fresh one has, so that each tensor counts."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_var") or (value.ndim == 1 and name.endswith("weight")):
                value.copy_(0.5 + torch.rand(value.shape, generator=generator))
            elif value.ndim == 1:
                value.copy_(0.2 * torch.randn(value.shape, generator=generator))
    return network.eval()
