#!/usr/bin/env python3
"""Where runs stand after 100 and 300 evaluations: our optimisers beside torch.optim.LBFGS in float32 and float64.

    losses_along_runs.py --program build/release/tests/golden/evaluate_pixels --weights vgg19-oxford.h5 [--images ../shared/images]
                         [--size 96x72] [--pairs 5] [--evaluations 300] [--threads 0] [--double]

From the content, default weights, five pairs (real ones where the pictures are there). Per run: the lowest loss up to each mark relative to
torch float32's, and `reach`, the evaluations until torch's lowest loss after all of them, as a share. In float32 runs part early for
everyone (tests/golden/README.md): the medians over the pairs are what counts.
"""

import argparse
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/golden"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

import check_parity  # noqa: E402
from engine_process import Engine  # noqa: E402
from model import Network, Options, lbfgs_trajectory  # noqa: E402

CONTENTS, STYLES = ["chelsea.png", "tuebingen_neckarfront.jpg"], ["munch_the_scream.jpg", "vangogh_starry_night.jpg", "turner_shipwreck.jpg"]
PAIRS = [(c, s) for s in STYLES for c in CONTENTS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--images", default=os.path.join(HERE, "../../../shared/images"))
    parser.add_argument("--size", default="96x72")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--evaluations", type=int, default=300)
    parser.add_argument("--threads", type=int, default=0, help="ours; PyTorch's: OMP_NUM_THREADS")
    parser.add_argument("--double", action="store_true", help="also torch in float64: slow")
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    marks = [m for m in (100, 200, 300, 500) if m <= args.evaluations]
    networks = {"torch f32": Network(args.weights, torch.float32, torch.channels_last)}
    if args.double:
        networks["torch f64"] = Network(args.weights)
    ratios = {}
    with Engine(args.program, args.weights, threads=args.threads) as engine:
        print(f"{engine.description}; torch {torch.__version__}; {args.size}; lowest loss at {marks} over torch f32's, highest/first, reach")
        for content_name, style_name in PAIRS[:args.pairs]:
            content = check_parity.real_picture(os.path.join(args.images, "content", content_name), width, height)
            style = check_parity.real_picture(os.path.join(args.images, "style", style_name), width, height)
            engine.pictures(content, [style], Options())
            runs = {name: [e["total"] for e in lbfgs_trajectory(n, content, [style], Options(), args.evaluations)[0]]
                    for name, n in networks.items()}
            for optimizer in ("lbfgs-torch", "lbfgs", "lbfgs-wolfe"):
                runs[optimizer] = [e["total"] for e in engine.run(args.evaluations, optimizer)["evaluations"]]
            base = np.minimum.accumulate(runs["torch f32"])
            print(f"{content_name} {style_name}: torch f32 " + ", ".join(f"{base[min(m, len(base)) - 1]:.6g}" for m in marks))
            for name, totals in runs.items():
                low = np.minimum.accumulate(totals)
                row = [low[min(m, len(low)) - 1] / base[min(m, len(base)) - 1] for m in marks]
                reached = np.nonzero(low <= base[-1])[0]
                reach = (reached[0] + 1) / len(base) if len(reached) else float("inf")
                ratios.setdefault(name, []).append([*row, max(totals) / totals[0], reach])
                print(f"  {name:12}", *(f"{r:8.4f}" for r in row), f"{max(totals) / totals[0]:10.3g} {reach:6.2f}  ({len(totals)})", flush=True)
    print("medians")
    for name, rows in ratios.items():
        print(f"  {name:12}", *(f"{statistics.median(column):8.4f}" for column in zip(*rows)))


if __name__ == "__main__":
    main()
