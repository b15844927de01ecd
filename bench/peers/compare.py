#!/usr/bin/env python3
"""One loss-and-gradient evaluation, PyTorch's variants and ours, side by side.

    compare.py --program build/release/tests/golden/evaluate_pixels --weights vgg19-oxford.h5
               [--sizes 400x300 512x512 1024x1024] [--threads 2 1] [--rounds 9] [--compile] [--isa avx2 ...] [--write]

Same weights, same pixels, same number of threads. The variants take turns, one evaluation each, in one run: what disturbs one disturbs all.
PyTorch: forward, losses, gradient with respect to the input only (frozen weights, in-place ReLU). Ours: Evaluator::evaluate, pixels in
and gradient out, conversions included. Peak memory: each in a process of its own that does two evaluations. Medians of all samples; `quiet`
counts samples during which other processes took less than 6% of the machine, and their median is given where there are at least three. CPU seconds
(resolution 0.01) tell more than wall time where others compute as well, with one thread: several that wait for one another spin.
--write leaves bench/results/<date>-<cpu>.json and .md.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/golden"))

import torch  # noqa: E402

import machine  # noqa: E402
from engine_process import Engine  # noqa: E402
from model import Network, Objective, Options  # noqa: E402
from pictures import synthetic, to_float  # noqa: E402

QUIET = 0.06
FORMATS = {"torch channels_last": torch.channels_last, "torch nchw": torch.contiguous_format}


def pictures(width, height):
    return to_float(synthetic(1, width, height)), to_float(synthetic(11, width, height)), to_float(synthetic(2, width, height))


class TorchVariant:
    def __init__(self, name, weights, width, height):
        content, style, start = pictures(width, height)
        network = Network(weights, torch.float32, FORMATS[name.removesuffix(" compiled")])
        self.objective = Objective(network, content, [style], Options())
        self.x = network.preprocess(start)
        if name.endswith(" compiled"):
            self.objective.terms = torch.compile(self.objective.terms)

    def evaluate(self):
        start = time.perf_counter()
        losses, _ = self.objective.evaluate(self.x)
        return losses["total"], time.perf_counter() - start


class OurVariant:
    def __init__(self, engine, width, height):
        content, style, self.start = pictures(width, height)
        self.engine = engine
        engine.pictures(content, [style], Options())

    def evaluate(self):
        losses, _, seconds = self.engine.evaluate(self.start)
        return losses["total"], seconds


def measure(args, width, height, threads):
    torch.set_num_threads(threads)
    engines = {"impasto" + (f" {isa}" if isa else ""): Engine(args.program, args.weights, threads=threads, cpu_isa=isa) for isa in args.isa}
    variants = {name: OurVariant(engine, width, height) for name, engine in engines.items()}
    for name in FORMATS:
        variants[name] = TorchVariant(name, args.weights, width, height)
        if args.compile:
            variants[name + " compiled"] = TorchVariant(name + " compiled", args.weights, width, height)
    totals, seconds, foreign, cpu = {}, *({n: [] for n in variants} for _ in range(3))
    for variant in variants.values():
        variant.evaluate()
    monitor = machine.Meter([engine.process.pid for engine in engines.values()])
    for _ in range(args.rounds):
        for name, variant in variants.items():
            monitor.read()
            totals[name], s = variant.evaluate()
            seconds[name].append(s)
            others, own = monitor.read()
            foreign[name].append(others)
            cpu[name].append(own)
    descriptions = {name: engine.description for name, engine in engines.items()}
    for engine in engines.values():
        engine.__exit__()
    rows = {}
    for name in variants:
        quiet = [s for s, f in zip(seconds[name], foreign[name]) if f < QUIET]
        rows[name] = {"median": statistics.median(seconds[name]), "min": min(seconds[name]),
                      "cpu_median": statistics.median(cpu[name]), "quiet": len(quiet),
                      "quiet_median": statistics.median(quiet) if len(quiet) >= 3 else None, "total_loss": totals[name],
                      "seconds": seconds[name], "foreign": [round(f, 3) for f in foreign[name]]}
    return {"width": width, "height": height, "threads": threads, "variants": rows, "descriptions": descriptions}


def memory_of(args, width, height, threads, variant):
    """Peak resident MiB of a process that does two evaluations."""
    if variant.startswith("impasto"):
        with Engine(args.program, args.weights, threads=threads, cpu_isa=variant.removeprefix("impasto").strip()) as engine:
            ours = OurVariant(engine, width, height)
            ours.evaluate()
            ours.evaluate()
            return engine.peak_bytes() / 2**20
    command = [sys.executable, __file__, "--weights", args.weights, "--program", args.program, "--peak-of", variant, "--sizes",
               f"{width}x{height}", "--threads", str(threads)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_peak_of(args):
    width, height = map(int, args.sizes[0].split("x"))
    torch.set_num_threads(args.threads[0])
    variant = TorchVariant(args.peak_of, args.weights, width, height)
    variant.evaluate()
    variant.evaluate()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def markdown(result):
    m = result["machine"]
    lines = [f"# One evaluation, {m['date']}", "", f"{m['cpu']}, {m['cores']} cores; PyTorch {m['torch']} ({m['torch_cpu_capability']}); "
             f"{', '.join(sorted({d for r in result['runs'] for d in r['descriptions'].values()}))}.",
             "Made by `bench/peers/compare.py`; seconds are of a shared machine, ratios are what to quote.", "",
             "| size | threads | variant | median s | min s | quiet median s (n) | CPU s | ratio of medians | of minima | of CPU | peak MiB |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    for run in result["runs"]:
        best = {key: min(r[key] for n, r in run["variants"].items() if n.startswith("torch")) for key in ("median", "min", "cpu_median")}
        for name, r in run["variants"].items():
            ratios = " | ".join(f"{best[key] / r[key]:.2f}" if name.startswith("impasto") else "" for key in best)
            quiet = f"{r['quiet_median']:.3f} ({r['quiet']})" if r["quiet_median"] else f"({r['quiet']})"
            lines.append(f"| {run['width']}x{run['height']} | {run['threads']} | {name} | {r['median']:.3f} | {r['min']:.3f} | {quiet} | {r['cpu_median']:.3f} | {ratios} "
                         f"| {run['peak_mib'].get(name, float('nan')):.0f} |")
    lines += ["", "Ratios: the best PyTorch variant over ours."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--sizes", nargs="+", default=["400x300", "512x512", "1024x1024"])
    parser.add_argument("--threads", nargs="+", type=int, default=[2, 1])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--isa", nargs="+", default=[""])
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak_of:
        print_peak_of(args)
        return
    result = {"machine": machine.description(), "rounds": args.rounds, "runs": []}
    for size in args.sizes:
        width, height = map(int, size.split("x"))
        for threads in args.threads:
            run = measure(args, width, height, threads)
            run["peak_mib"] = {} if args.no_memory else {n: memory_of(args, width, height, threads, n) for n in run["variants"]
                                                          if not n.endswith("compiled")}
            result["runs"].append(run)
            print(markdown({**result, "runs": [run]}).split("|---|\n", 1)[-1], flush=True)
    if args.write:
        stem = os.path.join(HERE, "../results", machine.file_stem())
        with open(stem + ".json", "w") as out:
            json.dump(result, out, indent=1)
        with open(stem + ".md", "w") as out:
            out.write(markdown(result))
        print(os.path.relpath(stem) + ".md")


if __name__ == "__main__":
    main()
