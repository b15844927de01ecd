#!/usr/bin/env python3
"""Complete runs, load to file: the impasto command, the same in PyTorch (torch_run.py), and the package pastiche where it is installed.

    whole_run.py --impasto build/release/tools/impasto/impasto --weights vgg19-oxford.h5 [--iterations 300] [--max-width 400] [--threads 2]
                 [--content samples/content.jpg] [--style samples/style.jpg] [--pastiche python3]

One after the other on an otherwise idle machine; wall time, CPU time and peak memory of each process, as the kernel reports them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import PIL.Image

HERE = os.path.dirname(os.path.abspath(__file__))


def timed(name, command, environment):
    start = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{name} failed ({process.returncode}):\n{output}")
    print(f"{name:24} {seconds:8.1f} s  cpu {usage.ru_utime + usage.ru_stime:8.1f} s  peak {usage.ru_maxrss / 1024:6.0f} MiB", flush=True)
    return seconds


def pixels(path, max_width):
    """Of the picture as the runs see it: pastiche's --size-pixels is an area."""
    with PIL.Image.open(path) as picture:
        width = min(picture.width, max_width)
        return width * round(picture.height * width / picture.width)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--impasto", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--content", default=os.path.join(HERE, "../../samples/content.jpg"))
    parser.add_argument("--style", default=os.path.join(HERE, "../../samples/style.jpg"))
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--max-width", type=int, default=400)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pastiche", metavar="PYTHON", help="an interpreter that has pastiche")
    args = parser.parse_args()
    threads = {"OMP_NUM_THREADS": str(args.threads), "MKL_NUM_THREADS": str(args.threads)}
    same = ["--iterations", str(args.iterations), "--max-width", str(args.max_width), "--threads", str(args.threads)]
    with tempfile.TemporaryDirectory() as folder:
        out = lambda name: os.path.join(folder, name + ".png")
        for optimizer in ("lbfgs", "lbfgs-torch"):
            timed(f"impasto {optimizer}", [args.impasto, args.content, args.style, "-o", out(optimizer), "--weights", args.weights,
                                          "--optimizer", optimizer, "--progress", "none", *same], {})
        timed("torch", [sys.executable, os.path.join(HERE, "torch_run.py"), "--weights", args.weights, *same, args.content, args.style,
                        out("torch")], threads)
        if args.pastiche:
            timed("pastiche", [args.pastiche, "-m", "pastiche", "--no-verbose", "-d", "cpu", "--init", args.content, "--num-steps", str(args.iterations),
                               "--size-pixels", str(pixels(args.content, args.max_width)), "-s", args.style, "-c", args.content,
                               "-o", out("pastiche")], threads)


if __name__ == "__main__":
    main()
