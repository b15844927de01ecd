#!/usr/bin/env python3
"""The CUDA backend beside PyTorch on one GPU: the same numbers, one evaluation, and complete runs of L-BFGS.

    gpu_compare.py --program evaluate_pixels --weights vgg19-oxford.h5 [--sizes 512x512 ...] [--precisions tf32 ...] [--json FILE]
                   [--whole-run 512x512 500] [--compile-seconds 40] [--autotune] [--no-torch] [--device cuda] [--torch-device cuda]

For each size and precision, those first of which gpu_goals.py says what they should take: Impasto and PyTorch's forms (torch_variants.py),
each held to PyTorch in float64 (largest relative error of a loss term, 1 - cos of the gradient), then in turns within the run

evaluation   loss and gradient, the picture on the device, until the loss is on the host; no optimiser
iteration    an evaluation with its optimiser, lbfgs-torch and torch.optim.LBFGS: from one to the next, in the second half of a short run

as medians of all samples; the spread is how far the medians of the turns lie apart. A form that fails, errs, or is not compiled in time is
named with the reason. --whole-run: at that size, tf32 and fp16, one run of so many iterations: Impasto from starting its process to the
picture in a file, PyTorch's quickest form warm, the run alone. --compile-seconds: for all compilation together, spent in order.
--autotune: Impasto with cuDNN's engines measured as well. --no-torch: Impasto alone. The file of --json is written anew after each size
and precision. --device cpu tries the script where there is no GPU (Impasto in fp32); --torch-device cpu with --device cuda, where Impasto's
CUDA module is the emulated one. Exit status 1: Impasto failed or erred, or none of PyTorch's forms is left.
"""

import argparse
import contextlib
import gc
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/golden"))

import torch  # noqa: E402

import gpu_goals  # noqa: E402
from engine_process import Engine  # noqa: E402
from gpu_contenders import Ours, Task, Theirs  # noqa: E402
from model import Network  # noqa: E402
from torch_variants import LIMITS, CompileAllowance, Evaluation, favoured_layout, one_line  # noqa: E402

# How long a turn of a variant lasts about, in seconds, and how many there are (README.md adds it up).
TURNS, TURN_SECONDS = 4, 0.06
RUNS, RUN_SECONDS = 2, 0.3


def picture_size(text):
    """WxH, as it is."""
    if not re.fullmatch("[1-9][0-9]*x[1-9][0-9]*", text):
        raise argparse.ArgumentTypeError(f"{text}; expected WxH, as in 512x512")
    return text


def between(least, value, most):
    return max(least, min(int(value), most))


class Comparison:
    def __init__(self, args, stack):
        self.args, self.stack = args, stack
        self.engines, self.tasks = {}, {}
        self.network = Network(args.weights, torch.float32, device=args.torch_device)
        self.float64 = Network(args.weights, torch.float64, device=args.torch_device)
        self.compiling = CompileAllowance(args.compile_seconds)

    def engine(self, precision, tuned=False):
        if (precision, tuned) not in self.engines:
            self.engines[precision, tuned] = self.stack.enter_context(self.new_engine(precision, tuned))
        return self.engines[precision, tuned]

    def new_engine(self, precision, tuned=False):
        return Engine(self.args.program, self.args.weights, device=self.args.device, precision=precision, autotune=tuned)

    def task(self, size):
        if size not in self.tasks:
            self.tasks[size] = Task(self.network, self.float64, *map(int, size.split("x")))
            torch.cuda.empty_cache()  # Impasto's processes need memory as well
        return self.tasks[size]

    def makers(self, task, precision):
        """What makes each variant, by name, in an order in which each finds made what it is made from."""
        made = {}

        def theirs(name, evaluation):
            made[name] = evaluation
            return Theirs(evaluation, task, self.network)

        def eager(layout, compiled=False):
            return Evaluation(self.network, task.content_input, task.style_input, task.pixels_input, precision, layout, compiled)

        def compiled(layout):
            with self.compiling.spending():
                return eager(layout, compiled=True)

        def graph(name):
            if name not in made:
                raise ValueError(f"there is no {name}")
            return made[name].as_graph()

        makers = {"impasto": lambda: Ours(self.engine(precision), task)}
        if self.args.autotune:
            makers["impasto autotuned"] = lambda: Ours(self.engine(precision, tuned=True), task)
        if not self.args.no_torch:
            layout = favoured_layout(precision)
            other = "nchw" if layout == "channels_last" else "channels_last"
            forms = {f"eager {layout}": lambda: eager(layout), f"graph {layout}": lambda: graph(f"eager {layout}"),
                     f"eager {other}": lambda: eager(other), f"compiled {layout}": lambda: compiled(layout),
                     f"compiled graph {layout}": lambda: graph(f"compiled {layout}")}
            for name, make in forms.items():
                makers[name] = lambda name=name, make=make: theirs(name, make())
        return makers

    def cell(self, size, precision):
        """What there is to say of a size and precision."""
        start = time.perf_counter()
        task = self.task(size)
        variants, contenders = {}, {}
        for name, make in self.makers(task, precision).items():
            variants[name] = {}
            contender = attempt(variants[name], make)
            found = attempt(variants[name], contender.difference) if contender else None
            if not found:
                continue
            variants[name]["loss error"], variants[name]["1 - cos"] = found
            if all(value <= limit for value, limit in zip(found, LIMITS[precision])):
                contenders[name] = contender
            else:
                variants[name]["reason"] = f"errs: loss error {found[0]:.1e}, 1 - cos {found[1]:.1e}; expected at most {LIMITS[precision]}"
        self.take_turns(contenders, variants)
        cell = {"size": size, "precision": precision, "clocks": nvidia_smi("clocks.sm,clocks.mem,temperature.gpu,power.draw")}
        self.run(contenders, variants)
        if self.args.whole_run and size == self.args.whole_run[0] and precision in ("tf32", "fp16"):
            cell["whole run"] = self.whole_run(task, precision, int(self.args.whole_run[1]), contenders, variants)
        return {**cell, "variants": variants, "seconds": round(time.perf_counter() - start, 1)}

    def take_turns(self, contenders, variants):
        counts = {}
        for name, contender in list(contenders.items()):
            if seconds := attempt(variants[name], lambda: contender.evaluations(3)):
                counts[name] = between(3, TURN_SECONDS / min(seconds), 20)
        for _ in range(TURNS):
            for name, contender in list(contenders.items()):
                if seconds := attempt(variants[name], lambda: contender.evaluations(counts[name])):
                    variants[name].setdefault("evaluation", []).append([round(1e3 * s, 4) for s in seconds])
        settle(contenders, variants, "evaluation")

    def run(self, contenders, variants):
        slowest = max((variants[name]["evaluation ms"] for name in contenders), default=1)
        evaluations = between(10, 1e3 * RUN_SECONDS / slowest, 40)
        for _ in range(RUNS):
            for name, contender in list(contenders.items()):
                if marks := attempt(variants[name], lambda: contender.marks(evaluations)):
                    steps = [round(1e3 * (b - a), 4) for a, b in zip(marks, marks[1:])]
                    variants[name].setdefault("iteration", []).append(steps[len(steps) // 2:])
        settle(contenders, variants, "iteration")

    def whole_run(self, task, precision, iterations, contenders, variants):
        result = {"iterations": iterations}

        def ours(optimizer, entry):
            start = time.perf_counter()
            with self.new_engine(precision) as engine:
                marks = Ours(engine, task).marks(iterations, optimizer)
                entry["load to file s"] = round(time.perf_counter() - start, 3)
            entry["run s"], entry["last iterations ms"] = round(marks[-1], 3), last_iterations(marks)

        def theirs(contender, entry):
            start = time.perf_counter()
            marks = contender.marks(iterations)
            contender.picture()
            entry["run s"], entry["last iterations ms"] = round(time.perf_counter() - start, 3), last_iterations(marks)

        for optimizer in ("lbfgs", "lbfgs-torch"):
            entry = result["impasto " + optimizer] = {}
            attempt(entry, lambda: ours(optimizer, entry))
        peers = {name: variants[name]["iteration ms"] for name in contenders if not name.startswith("impasto")}
        if peers:
            name = min(peers, key=peers.get)
            entry = result["torch " + name] = {}
            attempt(entry, lambda: theirs(contenders[name], entry))
        return result


def last_iterations(marks):
    """Median milliseconds of the last hundred, which have all of the history."""
    last = marks[-101:]
    return round(1e3 * statistics.median(b - a for a, b in zip(last, last[1:])), 3)


def attempt(entry, action):
    """What action returns; None where it fails, or entry has failed before, with entry's reason: whatever comes up is a result."""
    if "reason" in entry:
        return None
    try:
        return action()
    except Exception as error:
        entry["reason"] = one_line(error)
        return None


def settle(contenders, variants, kind):
    """Medians of those whose every turn went well; the others are out."""
    for name in list(contenders):
        if "reason" in variants[name]:
            del contenders[name]
        else:
            gpu_goals.settle(variants[name], kind)


def nvidia_smi(what):
    query = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        return one_line(error)


def failed(cell):
    """Whether anything of Impasto's did, or nothing is left to compare it with."""
    variants = cell["variants"]
    entries = {**variants, **cell.get("whole run", {})}
    peers = [variant for name, variant in variants.items() if not name.startswith("impasto")]
    return any("reason" in entry for name, entry in entries.items() if name.startswith("impasto")) or (
        len(peers) > 0 and all("reason" in peer for peer in peers))


def line(cell):
    words = [f"{cell['size']} {cell['precision']} ({cell['seconds']} s):"]
    for name, variant in cell["variants"].items():
        words.append(f"{name}: " + variant.get("reason", f"{variant.get('evaluation ms')}, {variant.get('iteration ms')} ms") + ";")
    return " ".join(words + [json.dumps(cell["summary"])] + ([json.dumps(cell["whole run"])] if "whole run" in cell else []))


def write(path, result):
    """Whole or not at all, for the process may be ended at any time."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--sizes", nargs="+", type=picture_size, metavar="WxH", default=["512x512", "400x300", "1024x1024", "2048x2048"])
    parser.add_argument("--precisions", nargs="+", default=gpu_goals.WORTH, choices=gpu_goals.WORTH)
    parser.add_argument("--whole-run", nargs=2, metavar=("SIZE", "ITERATIONS"))
    parser.add_argument("--compile-seconds", type=float, default=40)
    parser.add_argument("--autotune", action="store_true")
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--torch-device", choices=["cuda", "cpu"])
    parser.add_argument("--json")
    args = parser.parse_args()
    args.torch_device = args.torch_device or args.device
    for path in (args.program, args.weights):
        if not os.path.exists(path):
            parser.error(f"no {path}")
    if args.whole_run and (args.whole_run[0] not in args.sizes or not re.fullmatch("[1-9][0-9]+", args.whole_run[1])):
        parser.error(f"--whole-run {' '.join(args.whole_run)}; expected one of --sizes, {' '.join(args.sizes)}, and at least 10 iterations")
    if args.torch_device == "cuda" and not torch.cuda.is_available():
        parser.error("PyTorch has no CUDA device here; --torch-device cpu tries the script without")
    name = torch.cuda.get_device_name() if args.torch_device == "cuda" else "cpu"
    machine = {"device": name, "gpu, driver, memory": nvidia_smi("name,driver_version,memory.total"), "torch": torch.__version__,
               "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(), "python": platform.python_version(),
               "system": platform.platform()}
    print(machine, flush=True)
    result = {"machine": machine, "impasto": {}, "cells": []}
    with contextlib.ExitStack() as stack:
        # Compilers fill their folders once for all sizes, and leave none behind.
        cache = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        os.environ["TORCHINDUCTOR_CACHE_DIR"], os.environ["TRITON_CACHE_DIR"] = os.path.join(cache, "inductor"), os.path.join(cache, "triton")
        comparison = Comparison(args, stack)
        for size, precision in gpu_goals.ordered(args.sizes, args.precisions):
            cell = comparison.cell(size, precision)
            cell["summary"] = gpu_goals.summary(cell, name)
            result["cells"].append(cell)
            result["impasto"] = {f"{p}{' autotuned' * tuned}": engine.description for (p, tuned), engine in comparison.engines.items()}
            print(line(cell), flush=True)
            if args.json:
                write(args.json, result)
            gc.collect()
            # Dynamo keeps a few compilations of one function and runs it eagerly from then on.
            torch.compiler.reset()
            torch.cuda.empty_cache()
    return 1 if any(failed(cell) for cell in result["cells"]) else 0


if __name__ == "__main__":
    sys.exit(main())
