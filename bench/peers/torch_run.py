#!/usr/bin/env python3
"""The same run in PyTorch, as its users write it: torch.optim.LBFGS (lr 1, history 100), channels_last, float32. Load to file.

    torch_run.py --weights vgg19-oxford.h5 --threads 2 --iterations 300 --max-width 400 CONTENT STYLE OUT.png
"""

import argparse
import os
import sys
import time

START = time.perf_counter()
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/golden"))

import numpy as np  # noqa: E402
import PIL.Image  # noqa: E402
import torch  # noqa: E402

from model import Network, Objective, Options  # noqa: E402


def load(path, max_width):
    with PIL.Image.open(path) as picture:
        picture = picture.convert("RGB")
        if picture.width > max_width:
            picture = picture.resize((max_width, round(picture.height * max_width / picture.width)), PIL.Image.BICUBIC)
        return np.asarray(picture, dtype=np.float32) / np.float32(255)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--max-width", type=int, default=400)
    parser.add_argument("paths", nargs=3, metavar="PATH")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    content, style = (load(path, args.max_width) for path in args.paths[:2])
    network = Network(args.weights, torch.float32, torch.channels_last)
    objective = Objective(network, content, [style], Options())
    x = network.preprocess(content).requires_grad_(True)
    optimizer = torch.optim.LBFGS([x], lr=1, max_iter=20, history_size=100)
    totals = []

    def closure():
        if not totals:
            print(f"first iteration after {time.perf_counter() - START:.3f} s", flush=True)
        losses, x.grad = objective.evaluate(x)
        totals.append(losses["total"])
        return torch.tensor(losses["total"])

    while len(totals) < args.iterations:
        optimizer.step(closure)
    picture = (x.detach()[0].numpy().transpose(1, 2, 0) * network.std + network.mean) / network.input_scale
    picture = picture[:, :, ::-1] if network.channel_order == "BGR" else picture
    PIL.Image.fromarray((picture.clip(0, 1) * 255).round().astype(np.uint8)).save(args.paths[2])
    print(f"{len(totals)} evaluations, last loss {totals[-1]:.6g}, {time.perf_counter() - START:.3f} s")


if __name__ == "__main__":
    main()
