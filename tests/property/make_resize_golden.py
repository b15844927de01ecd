#!/usr/bin/env python3
"""Writes resize_golden.txt: what Pillow and PyTorch make of a small picture that resize_golden_test.cc draws as well.

Needs pillow, numpy and torch; the versions used stand in the file. One line per case:
  SOURCE FILTER WIDTH HEIGHT OUT_WIDTH OUT_HEIGHT  and then OUT_HEIGHT * OUT_WIDTH * 3 values
SOURCE is pillow-float (mode F, one channel at a time), pillow-8bit (mode RGB, in 1/255) or torch (no antialias).
"""
import pathlib

import numpy
import PIL
import torch
from PIL import Image

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}
SIZES = [(13, 9, 5, 4), (4, 3, 7, 5), (9, 2, 1, 1), (1, 1, 2, 3), (11, 3, 4, 7)]


def picture(width, height):
    i = numpy.arange(width * height * 3)
    return ((i * i * 31 + i * 17 + 5) % 256).astype(numpy.uint8).reshape(height, width, 3)


def pillow_float(levels, size, kernel):
    channels = [Image.fromarray(levels[:, :, c].astype(numpy.float32) / numpy.float32(255)) for c in range(3)]
    return numpy.stack([numpy.asarray(channel.resize(size, kernel)) for channel in channels], axis=2)


def torch_bilinear(levels, size):
    nchw = torch.tensor(levels / 255.0, dtype=torch.float64).permute(2, 0, 1)[None]
    out = torch.nn.functional.interpolate(nchw, size=size[::-1], mode="bilinear", align_corners=False, antialias=False)
    return out[0].permute(1, 2, 0).numpy()


def main():
    lines = [f"# Pillow {PIL.__version__}, NumPy {numpy.__version__}, PyTorch {torch.__version__}; made by make_resize_golden.py"]
    for width, height, out_width, out_height in SIZES:
        levels, size = picture(width, height), (out_width, out_height)
        cases = [("pillow-float", name, pillow_float(levels, size, kernel)) for name, kernel in FILTERS.items()]
        cases.append(("torch", "bilinear", torch_bilinear(levels, size)))
        if (width, height) == (13, 9):
            eight_bit = Image.fromarray(levels)
            cases += [("pillow-8bit", name, numpy.asarray(eight_bit.resize(size, kernel)) / 255) for name, kernel in FILTERS.items()]
        for source, name, values in cases:
            numbers = " ".join(f"{value:.7g}" for value in values.ravel())
            lines.append(f"{source} {name} {width} {height} {out_width} {out_height} {numbers}")
    pathlib.Path(__file__).with_name("resize_golden.txt").write_text("\n".join(lines) + "\n")


main()
