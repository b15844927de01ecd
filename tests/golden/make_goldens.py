#!/usr/bin/env python3
"""Writes tests/golden/goldens/ from PyTorch in float64. See README.md.

    make_goldens.py --weights vgg19-oxford.h5 [--images ../shared/images] [evaluations|trajectories|pictures|samples ...]
"""

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile

import h5py
import numpy as np
import PIL
import PIL.Image
import torch

from model import LAYERS, Network, Objective, Options, lbfgs_trajectory
from pictures import PROBES, checksum, flat, poster, sketch, synthetic, to_float

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(HERE, "goldens")


def size(width, height):
    return {"width": width, "height": height}


def case(name, content, styles, start="seed 2", network="oxford", full_gradient=False, **options):
    """Pictures are synthetic(seed, ...): content seed 1, styles 11, 12, ...; start: "seed 2", "content", "flat" or "poster"."""
    return {"name": name, "network": network, "content": size(*content), "styles": [size(*s) for s in styles],
            "start": start, "full_gradient": full_gradient, "options": Options(**options)}


DEEP = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
EVALUATIONS = [
    case("max_48x36", (48, 36), [(56, 40)], full_gradient=True),
    case("average_48x36", (48, 36), [(56, 40)], pooling="average", full_gradient=True),
    case("max_64x48", (64, 48), [(64, 48)]),
    case("average_65x47", (65, 47), [(51, 37)], pooling="average"),
    case("max_65x47", (65, 47), [(51, 37)]),
    case("max_37x101", (37, 101), [(48, 48)]),
    case("average_37x101", (37, 101), [(48, 48)], pooling="average"),
    case("max_96x96", (96, 96), [(80, 64)]),
    case("panorama_200x24", (200, 24), [(24, 100)]),
    case("content_start_48x48", (48, 48), [(48, 48)], start="content"),
    case("flat_97x75", (97, 75), [(48, 48)], start="flat"),
    case("poster_130x100", (130, 100), [(64, 48)], start="poster"),
    case("poster_66x65", (66, 65), [(48, 48)], start="poster"),
    case("smallest_16x16", (16, 16), [(16, 16)]),
    case("shallow_5x3", (5, 3), [(4, 7)], content_layers=["relu1_2"], style_layers=["relu1_1", "relu1_2"]),
    case("one_pixel", (1, 1), [(1, 2)], content_layers=["conv1_2"], style_layers=["relu1_1"]),
    case("before_relu_max", (48, 40), [(40, 40)], content_layers=["conv4_2"],
         style_layers=["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]),
    case("before_relu_average", (41, 50), [(40, 40)], content_layers=["conv2_2"], pooling="average",
         style_layers=["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]),
    case("both_sides_of_relu", (33, 35), [(35, 33)], content_layers=["conv3_4", "relu3_4"],
         style_layers=["conv1_2", "relu1_2", "conv2_2", "relu2_2"]),
    case("to_the_end", (35, 33), [(33, 32)], content_layers=["relu5_4", "conv5_4"], style_layers=["relu3_3", "relu4_4", "conv5_2"],
         style_weights=[100.0, 30.0, 5.0], content_weight=0.25),
    case("total_variation", (41, 29), [(30, 30)], tv_weight=0.5, content_layers=["relu2_2"], style_layers=["relu1_1", "relu2_1"]),
    case("total_variation_alone", (23, 17), [(16, 16)], tv_weight=2.0, content_weight=0.0, style_weights=[0.0]),
    case("two_styles", (48, 32), [(40, 36), (33, 49)], style_blend=[3.0, 1.0]),
    case("weights_per_layer", (40, 48), [(48, 40)], style_weights=[4000.0, 2000.0, 1000.0, 500.0, 250.0], content_weight=5.0),
    case("two_content_layers", (40, 40), [(40, 40)], content_layers=["relu2_2", "relu4_2"]),
    case("rgb_max_49x36", (49, 36), [(36, 49)], network="rgb", full_gradient=True, tv_weight=1.0),
    case("rgb_average_48x36", (48, 36), [(36, 48)], network="rgb", pooling="average"),
]

# Sizes kept small: the C++ side runs the reference backend in double.
TRAJECTORIES = [
    {"name": "landscape_40x30", "content": (40, 30), "seed": 21, "style": (48, 36), "style_seed": 31},
    {"name": "portrait_27x41", "content": (27, 41), "seed": 22, "style": (40, 40), "style_seed": 32},
    {"name": "square_32x32_average", "content": (32, 32), "seed": 23, "style": (56, 30), "style_seed": 33, "pooling": "average"},
]
TRAJECTORY_EVALUATIONS = 20

# Crops (left, top, width, height) of pictures: no resampling, so that only the decoder stands between the file and the numbers.
REAL = [
    {"name": "chelsea_starry_128x96", "content": ("content/chelsea.png", 100, 60, 128, 96),
     "style": ("style/vangogh_starry_night.jpg", 300, 200, 128, 96)},
    {"name": "chelsea_scream_101x67_average", "content": ("content/chelsea.png", 141, 80, 101, 67),
     "style": ("style/munch_the_scream.jpg", 200, 200, 90, 110), "pooling": "average"},
    {"name": "tuebingen_starry_240x180", "content": ("content/tuebingen_neckarfront.jpg", 400, 300, 240, 180),
     "style": ("style/vangogh_starry_night.jpg", 100, 100, 240, 180)},
    {"name": "tuebingen_turner_161x119_start_content", "content": ("content/tuebingen_neckarfront.jpg", 301, 177, 161, 119),
     "style": ("style/turner_shipwreck.jpg", 100, 100, 155, 133), "start": "content"},
]
# The pair of samples/.
SAMPLES = [
    {"name": "samples_160x120", "content": ("content.jpg", 240, 180, 160, 120), "style": ("style.jpg", 100, 100, 160, 120)},
    {"name": "samples_119x133_average", "content": ("content.jpg", 301, 201, 119, 133), "style": ("style.jpg", 200, 100, 111, 97),
     "pooling": "average"},
]


def rgb_network(oxford, path):
    """Writes Oxford's filters as a network in torchvision's convention: RGB, 0..1, ImageNet mean and std.

    x_bgr = 255 std y + (255 mean - mean_oxford) with y the new input; the second term is below 0.02 and dropped, which makes this a
    network of its own, as good for the purpose. Outputs are divided by 64 (torchvision's are of order 1): ReLU networks are homogeneous.
    Every weight is rounded once to float32, in this order of operations; tests/golden/rgb_network.cc repeats it bit for bit."""
    std = [0.229, 0.224, 0.225]
    with h5py.File(oxford, "r") as source, h5py.File(path, "w") as out:
        for layer in LAYERS:
            weight = np.asarray(source[f"conv{layer}/weight"], dtype=np.float32)
            if layer == "1_1":
                weight = weight[:, ::-1] * np.array([np.float32(255 * s / 64) for s in std], dtype=np.float32)[None, :, None, None]
            out[f"conv{layer}/weight"] = np.ascontiguousarray(weight)
            out[f"conv{layer}/bias"] = np.asarray(source[f"conv{layer}/bias"], dtype=np.float32) / np.float32(64)
        out.attrs.update({"format_version": 1, "architecture": "vgg19", "channel_order": "RGB", "input_scale": 1.0,
                          "mean": np.array([0.485, 0.456, 0.406]), "std": np.array(std)})


def weights_checksum(path):
    """Over the float32 bits of conv1_1/weight, conv1_1/bias, ... conv5_4/bias."""
    with h5py.File(path, "r") as file:
        parts = [np.asarray(file[f"conv{l}/{kind}"], dtype=np.float32).reshape(-1) for l in LAYERS for kind in ("weight", "bias")]
    return checksum(np.concatenate(parts).view(np.uint32))


def versions():
    return {"torch": torch.__version__, "numpy": np.__version__, "pillow": PIL.__version__, "h5py": h5py.__version__,
            "python": platform.python_version(), "machine": platform.machine()}


def digits(values, count=13):
    return [float(f"{v:.{count}g}") for v in values]


def evaluation(network, content, styles, start, options):
    objective = Objective(network, content, styles, options)
    losses, grad_x = objective.evaluate(network.preprocess(start))
    gradient = network.pixel_gradient(grad_x)
    return losses, gradient


def fingerprint(losses, gradient):
    return {"losses": losses, "gradient_norm": float(np.linalg.norm(gradient)),
            "gradient_first": digits(gradient.reshape(-1)[:3]), "gradient_sketch": digits(sketch(gradient))}


def write(name, document):
    """JSON with one line per case."""
    path = os.path.join(GOLDENS, name)
    head = {k: v for k, v in document.items() if k != "cases"}
    with open(path, "w") as out:
        out.write("{\n" + "".join(f"{json.dumps(k)}: {json.dumps(v)},\n" for k, v in head.items()) + '"cases": [\n')
        out.write(",\n".join(json.dumps(c) for c in document["cases"]) + "\n]\n}\n")
    print(f"{path}: {os.path.getsize(path)} bytes")


def document(network_path, cases):
    return {"made_by": "tests/golden/make_goldens.py", "versions": versions(), "precision": "float64",
            "weights_checksum": str(weights_checksum(network_path)), "probes": PROBES, "cases": cases}


def make_evaluations(weights):
    with tempfile.TemporaryDirectory() as scratch:
        rgb = os.path.join(scratch, "rgb.h5")
        rgb_network(weights, rgb)
        networks = {"oxford": Network(weights), "rgb": Network(rgb)}
        rgb_checksum = weights_checksum(rgb)
    cases = []
    for c in EVALUATIONS:
        content = synthetic(1, **c["content"])
        styles = [synthetic(11 + i, **s) for i, s in enumerate(c["styles"])]
        start = {"content": lambda **_: content, "flat": flat, "poster": poster, "seed 2": lambda **s: synthetic(2, **s)}[c["start"]](**c["content"])
        losses, gradient = evaluation(networks[c["network"]], to_float(content), [to_float(s) for s in styles], to_float(start), c["options"])
        row = {**{k: v for k, v in c.items() if k != "options"}, "options": dataclasses.asdict(c["options"]),
               "pictures_checksum": [str(checksum(p)) for p in [content, start] + styles], **fingerprint(losses, gradient)}
        cases.append(row)
        if c["full_gradient"]:
            gradient.astype("<f4").tofile(os.path.join(GOLDENS, c["name"] + ".gradient.f32"))
        print(c["name"], losses["total"], flush=True)
    write("evaluations.json", {**document(weights, cases), "rgb_weights_checksum": str(rgb_checksum)})


def make_trajectories(weights):
    network, cases = Network(weights), []
    for t in TRAJECTORIES:
        content, style = synthetic(t["seed"], *t["content"]), synthetic(t["style_seed"], *t["style"])
        options = Options(pooling=t.get("pooling", "max"))
        trace, _ = lbfgs_trajectory(network, to_float(content), [to_float(style)], options, TRAJECTORY_EVALUATIONS)
        cases.append({"name": t["name"], "content": size(*t["content"]), "seed": t["seed"], "style": size(*t["style"]),
                      "style_seed": t["style_seed"], "pooling": options.pooling, "evaluations": trace})
        print(t["name"], [f"{e['total']:.6g}" for e in trace], flush=True)
    write("trajectories.json", document(weights, cases))


def crop(images, path, left, top, width, height):
    with PIL.Image.open(os.path.join(images, path)) as picture:
        return np.asarray(picture.convert("RGB"))[top:top + height, left:left + width].copy()


def make_pictures(weights, images, pairs, golden):
    network, cases = Network(weights), []
    for r in pairs:
        content, style = crop(images, *r["content"]), crop(images, *r["style"])
        start = content if r.get("start") == "content" else synthetic(2, content.shape[1], content.shape[0]) // 4 + content // 4 * 3
        options = Options(pooling=r.get("pooling", "max"))
        losses, gradient = evaluation(network, to_float(content), [to_float(style)], to_float(start), options)
        place = lambda p: {"path": p[0], "left": p[1], "top": p[2], "width": p[3], "height": p[4]}
        cases.append({"name": r["name"], "content": place(r["content"]), "style": place(r["style"]),
                      "start": r.get("start", "synthetic // 4 + content // 4 * 3"), "pooling": options.pooling,
                      "pictures_checksum": [str(checksum(p)) for p in (content, start, style)], **fingerprint(losses, gradient)})
        print(r["name"], losses["total"], flush=True)
    write(golden, document(weights, cases))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--images", default=os.path.join(HERE, "../../../shared/images"))
    parser.add_argument("what", nargs="*", default=["evaluations", "trajectories", "pictures", "samples"])
    args = parser.parse_args()
    os.makedirs(GOLDENS, exist_ok=True)
    if "evaluations" in args.what:
        make_evaluations(args.weights)
    if "trajectories" in args.what:
        make_trajectories(args.weights)
    if "pictures" in args.what:
        make_pictures(args.weights, args.images, REAL, "pictures.json")
    if "samples" in args.what:
        make_pictures(args.weights, os.path.join(HERE, "../../samples"), SAMPLES, "samples.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
