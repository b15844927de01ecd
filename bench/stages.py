#!/usr/bin/env python3
"""Where an evaluation's time goes, stage by stage, beside what it would take if nothing but the machine's measured peaks held it back.

    stages.py [--program build/bench/impasto] [--peaks build/bench/bench/impasto_peaks_bench] [--weights FILE] [--size 400x300] [--evaluations 40] [--runs 5]

Runs the command with one thread under `perf record` (Linux's, with call stacks) with Adam, --runs times, sorts the samples by stage, and prints for each stage the model's time and
share, the measured time and share, and how the shares compare, in all and from the lowest to the highest run. The model of a stage is the sum of three times: its arithmetic at the rate of multiply-adds between registers, what it moves to and from the second-level cache, and
what it moves to and from the third level or, planes and filters that do not stay there, memory. A sum, because one core's transfers between levels do not overlap [Treibig & Hager
2010, "Introducing a performance model for bandwidth-limited loop kernels"]. Lines written further out are moved twice: fetched, and written back. The peaks are measured before each run, with the widest vectors the
machine has, which the command takes too: a shared machine's wander, memory's most.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile

import numpy as np
import PIL.Image

LAYERS = [("1_1", 3, 64, 0), ("1_2", 64, 64, 0), ("2_1", 64, 128, 1), ("2_2", 128, 128, 1), ("3_1", 128, 256, 2), ("3_2", 256, 256, 2),
          ("3_3", 256, 256, 2), ("3_4", 256, 256, 2), ("4_1", 256, 512, 3), ("4_2", 512, 512, 3), ("4_3", 512, 512, 3), ("4_4", 512, 512, 3),
          ("5_1", 512, 512, 4)]
# Bytes of one piece of memory that the third level still holds when it is wanted again.
STAYS = 16e6
POOLED = {"1_2", "2_2", "3_4", "4_4"}
STYLE = {"1_1", "2_1", "3_1", "4_1", "5_1"}

# The first pattern found in a sample's innermost frames that has one of these names its stage.
STAGES = [("content, total variation, vectors", r"::distance|variation_row|::norms|::dots|::combine|adam"),
          ("conv1_1", r"image_conv_row|image_gradient|group_of_row|ImageConv"),
          ("products", r"winograd_products"),
          ("Gram, its gradient", r"gram_group|gram_gradient|gram_run|compute_gram|pack_gram"),
          ("filter transform", r"filters_of|transpose_taps|winograd_filters"),
          ("input transform", r"input_tiles|gather_patch|winograd_input"),
          ("output transform, pooling", r"output_tiles|winograd_output|prefetch_")]


def grid_of(tile, h, w):
    """Tiles, and products for a pair of channels, as kernels/cpu/tile_grid.cc."""
    tiles = products = 1
    for size in (h, w):
        small = 0 if tile != 6 or size % 6 in (0, 5) else 1 if size % 6 > 2 or size < 6 else 2
        large = max(0, -(-(size - 4 * small) // tile))
        tiles *= large + small
        products *= large * (tile + 2) + small * 6
    return tiles, products


def tile_of(in_channels, out_channels, h, w):
    """As kernels/cpu/winograd_cut.cc."""
    if in_channels * out_channels * h * w <= 1 << 24:
        return 2
    def cycles(tile, filters, source, target):
        _, products = grid_of(tile, h, w)
        whole_tiles = products / (tile + 2) ** 2
        pairs = in_channels / 16 * out_channels / 16
        return pairs * 16 * (products * 0.62 + filters) + whole_tiles * (in_channels / 16 * source + out_channels / 16 * target)
    return min([(2, 180, 120, 60), (4, 450, 330, 165), (6, 1000, 600, 360)], key=lambda s: cycles(*s))[0]


def filters_are_kept(tile, in_channels, out_channels, h, w):
    """As kernels/cpu/winograd_cut.cc."""
    tiles, _ = grid_of(tile, h, w)
    size = 4 * (tile + 2) ** 2 * in_channels * out_channels
    return not (tiles <= 160 and size > 16 << 20) and size <= 20 << 20 and size * tiles <= 5 << 30


def model(width, height, peak):
    """For each stage its seconds: [arithmetic, second level, further out]. peak: FLOP/s, and bytes/s of the
    second level, read and written, of the third and of memory."""
    seconds = {name: [0.0, 0.0, 0.0] for name, _ in STAGES}
    def add(stage, flops=0.0, near=0.0, written=0.0, far=()):
        seconds[stage][0] += flops / peak["flops"]
        seconds[stage][1] += near / peak["second"] + written / peak["written"]
        seconds[stage][2] += sum(size / peak["third" if size <= STAYS else "memory"] for size in far)
    # Vector operations of a tile and block of 16 channels, as many a cycle as multiply-adds: 32 FLOP each, whatever the width of vectors. Besides the transforms: bias; ReLU and its
    # mask; maxima of windows with their ties and masks, 36 a window and 2 a value (kernels/cpu/max_pooling.h); masks of gradients, 1 a value.
    vectors = {"in": {2: 32, 4: 144, 6: 448}, "out": {2: 24, 4: 100, 6: 336}}
    for name, c, k, halvings in LAYERS:
        h, w = height >> halvings, width >> halvings
        plane = 4 * h * w
        if name in STYLE:
            add("Gram, its gradient", k * k * h * w, far=[plane * k])
            add("Gram, its gradient", 2 * k * k * h * w, far=[plane * k] * 3)
        if name == "1_1":
            add("conv1_1", 2 * 27 * k * h * w, far=[plane * k] * 2)
            add("conv1_1", 2 * 27 * k * h * w, far=[plane * k])
            continue
        for source, target, backward in [(c, k, False), (k, c, True)]:
            tile = tile_of(source, target, h, w)
            positions = (tile + 2) ** 2
            # Tiles of the larger size that take as much.
            products = grid_of(tile, h, w)[1]
            tiles = products / positions
            pooled = 4 if name in POOLED else 1
            add("products", 2 * products * source * target)
            # Squares of inputs overlap: each value is read from the second level ((tile + 2) / tile)^2 times.
            read = plane * source / (pooled if backward else 1)
            values = tile ** 2
            epilogue = values + (0 if backward else values / 4 * 36 + 2 * values if name in POOLED else 2 * values)
            add("input transform", (vectors["in"][tile] + (positions if backward else 0)) * 32 * tiles * source / 16, near=read * positions / tile ** 2,
                written=4 * positions * tiles * source, far=[read])
            add("output transform, pooling", (vectors["out"][tile] + epilogue) * 32 * tiles * target / 16, near=4 * positions * tiles * target,
                far=[plane * target / (1 if backward else pooled)] * 2)
            if not filters_are_kept(tile, source, target, h, w):
                add("filter transform", far=[4 * source * target * 9, 4 * source * target * positions])
    # Content's features and the gradient there; the picture, its gradient, Adam's two and their norms.
    h, w = height >> 3, width >> 3
    add("content, total variation, vectors", far=[4 * 512 * h * w] * 4 + [4 * 3 * height * width] * 12)
    return seconds


def measured_peaks(program):
    text = subprocess.run([program, "--benchmark_format=json", "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true"], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    median = {entry["run_name"]: 1e9 * entry.get("GFLOP/s", entry.get("GB/s")) for entry in json.loads(text)["benchmarks"] if entry["aggregate_name"] == "median"}
    return {"flops": median["multiply_adds"], "second": median["read/second"], "written": median["write/second"],
            "third": median["read/third"], "memory": median["read/memory"]}


def measured(args, folder):
    """Of one run: seconds of one evaluation, and how many samples each stage has, those of none of them as `other`."""
    width, height = args.size
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), dtype=np.uint8)
    for name in ("content", "style"):
        picture = PIL.Image.fromarray(coarse if name == "content" else coarse[::-1].copy()).resize((width, height), PIL.Image.BICUBIC)
        picture.save(os.path.join(folder, name + ".png"))
    report, samples = os.path.join(folder, "run.json"), os.path.join(folder, "perf.data")
    command = [args.program, "content.png", "style.png", "-o", "out.png", "--max-width", str(width), "--optimizer", "adam", "--iterations", str(args.evaluations),
               "--threads", "1", "--report", report, "-q", *(["--weights", os.path.abspath(args.weights)] if args.weights else ["--untrained"])]
    subprocess.run(["perf", "record", "-q", "-F", "500", "--call-graph", "dwarf,16384", "-o", samples, "--", *command], check=True, cwd=folder,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(report) as file:
        seconds = np.median([e["seconds"] for e in json.load(file)["evaluations"][2:]])
    text = subprocess.run(["perf", "script", "-i", samples, "-F", "ip,sym"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True).stdout
    counts = dict.fromkeys([name for name, _ in STAGES] + ["other"], 0)
    for stack in text.split("\n\n"):
        # Of evaluations only: not of reading files and weights, or of style targets.
        if "StyleObjective::evaluate" not in stack:
            continue
        counts[next((name for name, pattern in STAGES if re.search(pattern, stack)), "other")] += 1
    return seconds, counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bench/impasto")
    parser.add_argument("--peaks", default="build/bench/bench/impasto_peaks_bench")
    parser.add_argument("--weights", help="otherwise untrained")
    parser.add_argument("--size", default="400x300", type=lambda text: tuple(map(int, text.split("x"))))
    parser.add_argument("--evaluations", type=int, default=40)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    args.program = os.path.abspath(args.program)
    runs, peaks = [], []
    for _ in range(args.runs):
        peaks.append(measured_peaks(args.peaks))
        with tempfile.TemporaryDirectory() as folder:
            runs.append(measured(args, folder))
    peak = {name: float(np.median([of_run[name] for of_run in peaks])) for name in peaks[0]}
    print("; ".join(f"{name} {1e-9 * value:.1f} ({1e-9 * min(of_run[name] for of_run in peaks):.1f} to {1e-9 * max(of_run[name] for of_run in peaks):.1f})"
                    for name, value in peak.items()) + ": GFLOP/s and GB/s\n")
    parts = model(*args.size, peak)
    seconds = np.median([of_run for of_run, _ in runs])
    shares = [{name: count / sum(counts.values()) for name, count in counts.items()} for _, counts in runs]
    total = sum(map(sum, parts.values()))
    print(f"{args.size[0]}x{args.size[1]}, one thread: model {1e3 * total:.0f} ms, measured {', '.join(f'{1e3 * of_run:.0f}' for of_run, _ in runs)} ms\n")
    print("| stage | arithmetic, second level, further out: ms | model ms | share | measured ms | share | share over the model's |\n|-|-|-|-|-|-|-|")
    parts["the three transforms, pooling"] = np.sum([of_stage for name, of_stage in parts.items() if "transform" in name], axis=0)
    for share in shares:
        share["the three transforms, pooling"] = sum(of_stage for name, of_stage in share.items() if "transform" in name)
    for name in shares[0]:
        of_stage = parts.get(name, [0.0, 0.0, 0.0])
        of_model = sum(of_stage) / total
        of_runs = [share[name] for share in shares]
        share = float(np.mean(of_runs))
        more = f"{share / of_model:.2f} ({min(of_runs) / of_model:.2f} to {max(of_runs) / of_model:.2f})" if of_model else ""
        print(f"| {name} | {', '.join(f'{1e3 * part:.1f}' for part in of_stage)} | {1e3 * sum(of_stage):.1f} | {100 * of_model:.1f}% | {1e3 * share * seconds:.1f} | "
              f"{100 * share:.1f}% | {more} |")


if __name__ == "__main__":
    main()
