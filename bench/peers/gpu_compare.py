#!/usr/bin/env python3
"""The CUDA backend beside PyTorch on one GPU: the same numbers, and the time of an evaluation with its optimiser.

    gpu_compare.py --program evaluate_pixels --weights vgg19-oxford.h5 [--sizes 400x300 512x512 1024x1024 2048x2048] [--evaluations 40] [--json FILE]
                   [--device cuda] [--precisions fp32 tf32 fp16 bf16] [--autotune] [--no-torch]

For each size and each of --precisions: losses and image gradient against PyTorch in float64 on the same device (largest relative error of a loss term, 1 - cos), then
complete runs of --evaluations evaluations of lbfgs-torch and of torch.optim.LBFGS, variant by variant in turns, twice: milliseconds from one
evaluation to the next, median of the second half, when compilation and plans are done. PyTorch: float32 proper and with TF32, both
layouts. --autotune: each precision once more, with cuDNN's engines measured. --no-torch: runs of ours only. The file of --json is written
anew after each size. --device cpu --precisions fp32 tries the script where there is no GPU.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/golden"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from engine_process import Engine  # noqa: E402
from model import Network, Objective, Options  # noqa: E402
from pictures import synthetic, to_float  # noqa: E402

VARIANTS = {"fp32 nchw": (False, torch.contiguous_format), "fp32 channels_last": (False, torch.channels_last),
            "tf32 nchw": (True, torch.contiguous_format), "tf32 channels_last": (True, torch.channels_last)}


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed


def settled(marks):
    """Median milliseconds between consecutive marks of the second half."""
    steps = [b - a for a, b in zip(marks, marks[1:])]
    return 1e3 * statistics.median(steps[len(steps) // 2:])


def torch_run(network, content, style, evaluations):
    objective = Objective(network, content, [style], Options())
    x = network.preprocess(content).requires_grad_(True)
    optimizer = torch.optim.LBFGS([x], lr=1, max_iter=evaluations, history_size=100)
    marks = []

    def closure():
        losses, x.grad = objective.evaluate(x)  # waits: it fetches the losses
        marks.append(time.perf_counter())
        return torch.tensor(losses["total"])

    optimizer.step(closure)
    return settled(marks)


def parity(engine, network64, content, style, pixels):
    engine.pictures(content, [style], Options())
    losses, gradient, _ = engine.evaluate(pixels)
    objective = Objective(network64, content, [style], Options())
    expected, grad_x = objective.evaluate(network64.preprocess(pixels))
    expected_gradient = network64.pixel_gradient(grad_x)
    error = max(abs(a / b - 1) for a, b in zip([losses["content"], *losses["style"]], [expected["content"], *expected["style"]]))
    cosine = (gradient * expected_gradient).sum() / np.sqrt((gradient ** 2).sum() * (expected_gradient ** 2).sum())
    return error, 1 - cosine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--sizes", nargs="+", default=["400x300", "512x512", "1024x1024", "2048x2048"])
    parser.add_argument("--evaluations", type=int, default=40)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precisions", nargs="+", default=["fp32", "tf32", "fp16", "bf16"])
    parser.add_argument("--autotune", action="store_true")
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--json")
    args = parser.parse_args()
    name = torch.cuda.get_device_name() if args.device == "cuda" else "cpu"
    rows = []
    with contextlib.ExitStack() as stack:
        engines = {precision + " autotuned" * tuned: stack.enter_context(
            Engine(args.program, args.weights, device=args.device, precision=precision, autotune=tuned))
            for precision in args.precisions for tuned in ([False, True] if args.autotune else [False])}
        description = "; ".join(engine.description for engine in engines.values())
        print(f"{description}; torch {torch.__version__} on {name}; milliseconds per evaluation with optimiser")
        for size in args.sizes:
            width, height = map(int, size.split("x"))
            content, style, pixels = (to_float(synthetic(seed, width, height)) for seed in (1, 11, 2))
            allow_tf32(False)
            row = {"size": size}
            network64 = Network(args.weights, device=args.device)
            for precision, engine in engines.items():
                row["loss error " + precision], row["1 - cos " + precision] = parity(engine, network64, content, style, pixels)
            for _ in range(2):
                for precision, engine in engines.items():
                    row.setdefault("impasto " + precision, []).append(
                        settled([e["elapsed"] for e in engine.run(args.evaluations, "lbfgs-torch")["evaluations"]]))
                for variant, (tf32, layout) in ({} if args.no_torch else VARIANTS).items():
                    allow_tf32(tf32)
                    network = Network(args.weights, torch.float32, layout, args.device)
                    row.setdefault("torch " + variant, []).append(torch_run(network, content, style, args.evaluations))
            rows.append(row)
            print("  ".join(f"{key} {min(value):.3f}" if isinstance(value, list) else f"{key} {value if isinstance(value, str) else format(value, '.2g')}"
                            for key, value in row.items()), flush=True)
            if args.json:
                with open(args.json, "w", encoding="utf-8") as file:
                    json.dump({"description": description, "torch": torch.__version__, "device": name, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
