#!/usr/bin/env python3
"""Prints what impasto_cuda_bench has measured as tables in Markdown.

usage: cuda_table.py RESULT.json     what --benchmark_out wrote, also of a run that was cut short

Repeated benchmarks are shown by their medians (--benchmark_repetitions=3 --benchmark_report_aggregates_only=true).
Exit status: 1 where there is no result, or a benchmark reports an error or neither bytes nor operations (told after the tables); 2 usage.
"""
import json
import pathlib
import statistics
import sys

# Share of a copy's rate that kernels bound by memory are to reach.
WANTED = 0.85


def runs_of(text):
    """The runs in a result; of one that was cut short those that are whole."""
    try:
        return json.loads(text)["benchmarks"]
    except ValueError:
        pass
    whole = text.rfind("\n    }")
    try:
        return json.loads(text[:whole] + "\n    }\n  ]\n}")["benchmarks"]
    except ValueError:
        return []


def measured(runs):
    """{(operation, of what, size): {precision: run}} of those without errors, and the errors in words, each once."""
    found, faults = {}, {}
    for run in runs:
        if run.get("aggregate_name", "median") != "median":
            continue
        operation, what, size, precision = run["run_name"].split("/")[:4]
        name = f"{operation}/{what}/{size}/{precision}"
        if run.get("error_occurred"):
            faults[f"{name}: {run['error_message']}"] = True
        elif not run.get("TFLOP/s", 0) > 0 and not (run.get("bytes", 0) > 0 and run.get("GB/s", 0) > 0 and run.get("copy GB/s", 0) > 0):
            faults[f"{name}: reports neither bytes nor operations"] = True
        else:
            found.setdefault((operation, what, size), {})[precision] = run
    return found, list(faults)


def table(title, rows, cell):
    precisions = [p for p in ("fp32", "tf32", "fp16", "bf16") if any(p in row for row in rows.values())]
    lines = [f"| {title} | | size | " + " | ".join(precisions) + " |", "|-" * (3 + len(precisions)) + "|"]
    for name, row in rows.items():
        lines.append("| " + " | ".join([*name, *(cell(row[p]) if p in row else "" for p in precisions)]) + " |")
    return lines


def is_below(run):
    return run["of copy"] < WANTED and not run["in L2"]


def traffic_cell(run):
    said = f"{run['GB/s']:.0f}, {run['of copy']:.0%}"
    return f"**{said}**" if is_below(run) else said + (", L2" if run["in L2"] else "")


def report(found):
    kernels = {name: row for name, row in found.items() if "bytes" in next(iter(row.values()))}
    products = {name: row for name, row in found.items() if name not in kernels}
    lines = []
    if kernels:
        runs = [run for row in kernels.values() for run in row.values()]
        copies = [run["copy GB/s"] for run in runs]
        large = [run for run in runs if not run["in L2"]]
        below = sum(map(is_below, runs))
        lines += [f"GB/s by arithmetic and share of what a copy reached beside it (median {statistics.median(copies):.0f} GB/s, {min(copies):.0f} to "
                  f"{max(copies):.0f}). Bold: below {WANTED:.0%}, {below} of {len(large)} that reach memory. L2: all that the operation touches fits into "
                  f"the second-level cache; of these {len(runs) - len(large)} the share says little.", "",
                  *table("kernel", kernels, traffic_cell), ""]
    if products:
        lines += ["TFLOP/s of cuDNN and cuBLAS, every operation of the direct method counted.", "",
                  *table("product", products, lambda run: f"{run['TFLOP/s']:.1f}"), ""]
    return lines


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    try:
        text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    except OSError as error:
        print(f"cuda_table.py: {sys.argv[1]}: {error.strerror}", file=sys.stderr)
        return 1
    found, faults = measured(runs_of(text))
    print("\n".join(report(found)))
    for fault in faults:
        print(f"cuda_table.py: {fault}", file=sys.stderr)
    if not found:
        print(f"cuda_table.py: {sys.argv[1]} holds no result", file=sys.stderr)
    return 1 if faults or not found else 0


if __name__ == "__main__":
    sys.exit(main())
