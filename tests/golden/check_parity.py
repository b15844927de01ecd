#!/usr/bin/env python3
"""The engine beside PyTorch in float64, at many sizes, on random and real pictures: a table to read, and exit code 1 if a limit is broken.

    check_parity.py --program build/release/tests/golden/evaluate_pixels --weights vgg19-oxford.h5 [--images ../shared/images]
                    [--device cpu|reference|reference-float] [--cpu-isa avx2] [--tile 2] [evaluations|trajectories ...]

evaluations   one loss and gradient per size, picture and pooling. Limits: loss 1e-4 relative, gradient 1 - cos 1e-5. The last columns are
              PyTorch's own float32 against its float64, as a yardstick.
trajectories  20 evaluations of lbfgs-torch against torch.optim.LBFGS in float64. Limits: --device reference 1e-6 throughout, others
              1e-5 at evaluations 1 and 2.
"""

import argparse
import os
import sys

import numpy as np
import PIL.Image
import torch

from engine_process import Engine
from model import Network, Objective, Options, lbfgs_trajectory
from pictures import synthetic, to_float

SIZES = [(16, 16), (17, 23), (33, 31), (64, 48), (65, 47), (101, 67), (37, 201), (128, 96), (97, 131), (200, 150), (255, 193)]
LARGE_SIZES = [(400, 300), (513, 385)]
PAIRS = [("chelsea.png", "munch_the_scream.jpg"), ("tuebingen_neckarfront.jpg", "vangogh_starry_night.jpg"),
         ("tuebingen_neckarfront.jpg", "turner_shipwreck.jpg")]


def cosine_distance(a, b):
    """1 - cos, without cancellation."""
    a, b = a.reshape(-1) / np.linalg.norm(a), b.reshape(-1) / np.linalg.norm(b)
    return float(((a - b) ** 2).sum() / 2)


def loss_error(actual, expected):
    a = [actual["total"], actual["content"], *actual["style"]]
    e = [expected["total"], expected["content"], *expected["style"]]
    return max(abs(x - y) / abs(y) if x != y else 0.0 for x, y in zip(a, e))


def real_picture(path, width, height):
    with PIL.Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((width, height), PIL.Image.BICUBIC), dtype=np.float32) / np.float32(255)


def pictures_of(kind, width, height, images, pair=0):
    """(content, style, start); the style has another size."""
    style_size = (max(16, width * 3 // 4 + 5), max(16, height * 4 // 5 + 3))
    if kind == "random":
        noise = np.random.default_rng(width * 1000 + height)
        return tuple(noise.random((h, w, 3), dtype=np.float32) for w, h in [(width, height), style_size, (width, height)])
    if kind == "synthetic":
        return to_float(synthetic(1, width, height)), to_float(synthetic(11, *style_size)), to_float(synthetic(2, width, height))
    content, style = PAIRS[pair]
    content = real_picture(os.path.join(images, "content", content), width, height)
    style = real_picture(os.path.join(images, "style", style), *style_size)
    return content, style, np.clip(0.8 * content + 0.2 * to_float(synthetic(2, width, height)), 0, 1)


def evaluations(args, engine, kinds):
    double, single = Network(args.weights), Network(args.weights, torch.float32)
    broken = 0
    print(f"{'size':>9} {'pictures':9} {'pooling':8} {'loss error':>10} {'1 - cos':>9} {'distance':>9}   {'torch f32: loss':>15} {'1 - cos':>9}")
    for i, (width, height) in enumerate(SIZES + (LARGE_SIZES if args.large else [])):
        for kind in kinds:
            content, style, start = pictures_of(kind, width, height, args.images, i % len(PAIRS))
            for pooling in ("max", "average"):
                options = Options(pooling=pooling)
                expected, g = Objective(double, content, [style], options).evaluate(double.preprocess(start))
                expected_gradient = double.pixel_gradient(g)
                yard, g = Objective(single, content, [style], options).evaluate(single.preprocess(start))
                engine.pictures(content, [style], options)
                losses, gradient, _ = engine.evaluate(start)
                loss, cosine = loss_error(losses, expected), cosine_distance(gradient, expected_gradient)
                distance = np.linalg.norm(gradient - expected_gradient) / np.linalg.norm(expected_gradient)
                bad = not (loss <= 1e-4 and cosine <= 1e-5)
                broken += bad
                print(f"{width:4}x{height:<4} {kind:9} {pooling:8} {loss:10.1e} {cosine:9.1e} {distance:9.1e}   {loss_error(yard, expected):15.1e} "
                      f"{cosine_distance(single.pixel_gradient(g), expected_gradient):9.1e}{'  BROKEN' if bad else ''}", flush=True)
    return broken


def trajectories(args, engine, kinds):
    double, single = Network(args.weights), Network(args.weights, torch.float32)
    broken = 0
    pairs = [("synthetic", 0)] + ([("real", pair) for pair in range(len(PAIRS))] if "real" in kinds else [])
    for kind, pair in pairs:
        for width, height, pooling in [(64, 48, "max"), (47, 61, "average")]:
            content, style, _ = pictures_of(kind, width, height, args.images, pair)
            options = Options(pooling=pooling)
            expected, _ = lbfgs_trajectory(double, content, [style], options, 20)
            yard, _ = lbfgs_trajectory(single, content, [style], options, 20)
            engine.pictures(content, [style], options)
            actual = engine.run(20)["evaluations"]
            errors = [abs(a["total"] / e["total"] - 1) for a, e in zip(actual, expected)]
            yard_errors = [abs(a["total"] / e["total"] - 1) for a, e in zip(yard, expected)]
            limit = [1e-6] * 20 if args.device == "reference" else [1e-5] * 2
            bad = len(errors) < 20 or not all(e <= l for e, l in zip(errors, limit))
            broken += bad
            print(f"{kind} {pair} {width}x{height} {pooling}{'  BROKEN' if bad else ''}: highest loss {max(e['total'] for e in expected):.2e}, "
                  f"first {expected[0]['total']:.2e}")
            print("  engine    ", " ".join(f"{e:.0e}" for e in errors))
            print("  torch f32 ", " ".join(f"{e:.0e}" for e in yard_errors), flush=True)
    return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--images", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared/images"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cpu-isa", default="")
    parser.add_argument("--tile", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--large", action="store_true", help="also 400x300 and 513x385")
    parser.add_argument("what", nargs="*", default=["evaluations", "trajectories"])
    args = parser.parse_args()
    kinds = ["random", "synthetic", "real"]
    if not os.path.isdir(args.images):
        print(f"no pictures at {args.images}: real pictures are left out")
        kinds.remove("real")
    broken = 0
    with Engine(args.program, args.weights, args.device, args.threads, args.cpu_isa, args.tile) as engine:
        print(f"{engine.description}; torch {torch.__version__}")
        for what in args.what:
            broken += {"evaluations": evaluations, "trajectories": trajectories}[what](args, engine, kinds)
    print(f"{broken} limits broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
