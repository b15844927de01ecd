#!/usr/bin/env python3
"""How far a gradient moves when rounding flips decisions: which of ReLU's arguments are positive, which of four a max pool takes.

    flips.py --weights vgg19-oxford.h5 [--size 128x96] [--noise 1e-4] [--repeats 5]

Every decision of one layer is taken on values with Gaussian noise of `noise` times the layer's RMS; the values themselves stay. Printed
per layer: the share of decisions that flip, and 1 - cos of the image gradient to the undisturbed one, both divided by noise (both grow
in proportion to it), so that  1 - cos  of a convolution whose relative error is e is about  e * the last column.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F

import check_parity
from model import LAYERS, Network, Objective, Options


class NoisyDecisions(Network):
    """A network whose layer `where` decides on disturbed values."""

    where, noise, generator = None, 0.0, None

    def disturbed(self, name, h):
        if name != self.where:
            return h.detach()
        return h.detach() + self.noise * h.detach().square().mean().sqrt() * torch.randn(h.shape, generator=self.generator, dtype=h.dtype)

    def features(self, x, names, pooling):
        found, h = {}, x
        self.flipped = 0.0
        for layer in LAYERS:
            if layer.endswith("_1") and layer != "1_1":
                if pooling == "max":
                    decided = F.max_pool2d(self.disturbed(f"pool{layer[0]}", h), 2, return_indices=True)[1]
                    if self.where == f"pool{layer[0]}":
                        plain = F.max_pool2d(h, 2, return_indices=True)[1]
                        self.flipped = (decided != plain).double().mean().item()
                    h = h.flatten(2).gather(2, decided.flatten(2)).reshape(decided.shape)
                else:
                    h = F.avg_pool2d(h, 2)
            h = F.conv2d(h, self.weight[layer], self.bias[layer], padding=1)
            decided = self.disturbed(f"relu{layer}", h) > 0
            if self.where == f"relu{layer}":
                self.flipped = (decided != (h > 0)).double().mean().item()
            h = h * decided
            if f"relu{layer}" in names:
                found[f"relu{layer}"] = h[0]
            if len(found) == len(set(names)):
                return found
        raise ValueError(f"not among {names}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--size", default="128x96")
    parser.add_argument("--noise", type=float, default=1e-4)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    network = NoisyDecisions(args.weights, torch.float32)
    network.noise, network.generator = args.noise, torch.Generator().manual_seed(1)
    places = [f"relu{l}" for l in LAYERS[:13]] + [f"pool{n}" for n in (2, 3, 4, 5)]
    print(f"{args.size}, noise {args.noise:g}; {'layer':8} {'flips':>18} {'1 - cos, max':>14} {'flips':>18} {'average':>14}")
    for place in places:
        row = []
        for pooling in ("max", "average"):
            if place.startswith("pool") and pooling == "average":
                continue
            flips, distances = [], []
            for pair in range(2):
                content, style, start = check_parity.pictures_of("real", width, height, args.images, pair)
                network.where = None
                objective = Objective(network, content, [style], Options(pooling=pooling))
                x = network.preprocess(start)
                plain = objective.evaluate(x)[1].double().numpy()
                network.where = place
                for _ in range(args.repeats):
                    distances.append(check_parity.cosine_distance(objective.evaluate(x)[1].double().numpy(), plain))
                    flips.append(network.flipped)
            row += [f"{np.mean(flips) / args.noise:18.2f}", f"{np.mean(distances) / args.noise:14.2f}"]
        print(f"{place:8}", *row, flush=True)


if __name__ == "__main__":
    main()
