"""What the CUDA backend is meant to reach on an H200, and what of it a measurement of gpu_compare.py shows."""

import statistics

DEVICE = "H200"
# Milliseconds of an evaluation with its optimiser.
ITERATION = {("512x512", "tf32"): 1.6, ("512x512", "fp16"): 1.0, ("2048x2048", "fp16"): 14.0, ("400x300", "fp16"): 0.6}
# The same of PyTorch's quickest form in the same precision, over ours.
RATIO = {"400x300": 3.0, "512x512": 3.0, "2048x2048": 1.5}
# Seconds from the weights' file to the picture's, by size and iterations.
WHOLE_RUN = {("512x512", 500): 1.5}
# Of precisions, where time may run out.
WORTH = ["tf32", "fp16", "bf16", "fp32"]


def ordered(sizes, precisions):
    """All pairs: those with a goal of their own first, then by precision."""
    goals = list(ITERATION)
    pairs = [(size, precision) for precision in sorted(precisions, key=WORTH.index) for size in sizes]
    return sorted(pairs, key=lambda pair: goals.index(pair) if pair in goals else len(goals))


def settle(variant, kind):
    """Adds to a variant with samples, [[milliseconds] of each turn], their median and how far its turns' medians lie apart, relative to it."""
    turns = [statistics.median(turn) for turn in variant[kind]]
    median = statistics.median(sample for turn in variant[kind] for sample in turn)
    variant[kind + " ms"], variant[kind + " spread"] = round(median, 4), round((max(turns) - min(turns)) / median, 3)


def met(value, limit, at_most, device):
    """None on another device than the goals are for."""
    return None if DEVICE not in device else value <= limit if at_most else value >= limit


def summary(cell, device):
    """By kind, evaluation and iteration: ours, PyTorch's quickest that is right, their ratio; of iterations and whole runs what is aimed at
    and whether it is met."""
    result = {}
    for kind in ("evaluation", "iteration"):
        sound = {name: variant[kind + " ms"] for name, variant in cell["variants"].items() if "reason" not in variant and kind + " ms" in variant}
        peers = {name: ms for name, ms in sound.items() if not name.startswith("impasto")}
        found = result[kind] = {}
        if "impasto" in sound:
            found["impasto ms"] = sound["impasto"]
        if peers:
            found["torch"] = min(peers, key=peers.get)
            found["torch ms"] = peers[found["torch"]]
        if "impasto" in sound and peers:
            found["ratio"] = round(found["torch ms"] / found["impasto ms"], 2)
    iteration = result["iteration"]
    iterations = cell.get("whole run", {}).get("iterations")
    if (cell["size"], iterations) in WHOLE_RUN and "load to file s" in cell["whole run"]["impasto lbfgs"]:
        seconds, goal = cell["whole run"]["impasto lbfgs"]["load to file s"], WHOLE_RUN[cell["size"], iterations]
        result["whole run"] = {"impasto s": seconds, "goal s": goal, "met": met(seconds, goal, True, device)}
    goal, ratio = ITERATION.get((cell["size"], cell["precision"])), RATIO.get(cell["size"])
    if goal and "impasto ms" in iteration:
        iteration["goal ms"], iteration["met"] = goal, met(iteration["impasto ms"], goal, True, device)
    if ratio and "ratio" in iteration:
        iteration["goal ratio"], iteration["ratio met"] = ratio, met(iteration["ratio"], ratio, False, device)
    return result
