"""Pictures that Python and C++ (tests/golden/pictures.h) make bit for bit alike, and digests of large arrays."""

import numpy as np

PROBES = 128


def splitmix64(x):
    """Steele, Lea & Flood 2014: one output of SplitMix64 whose counter stands at x (uint64 array)."""
    with np.errstate(over="ignore"):
        z = x + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _lattice(seed, octave, channel, y, x):
    """A byte for each node of an octave's grid."""
    key = ((seed * 8 + octave) * 4 + channel) << 40
    counter = np.uint64(key) + (y.astype(np.uint64) << np.uint64(20)) + x.astype(np.uint64)
    return (splitmix64(counter) & np.uint64(255)).astype(np.int64)


def synthetic(seed, width, height):
    """(h, w, 3) uint8: value noise in four octaves, contrast doubled and clipped, so that it has flat, smooth and rough places."""
    picture = np.zeros((height, width, 3), dtype=np.int64)
    y, x = np.mgrid[0:height, 0:width]
    for channel in range(3):
        total = np.zeros((height, width), dtype=np.int64)
        for octave, (cell, share) in enumerate([(32, 4), (8, 2), (2, 1), (1, 1)]):
            gy, gx, fy, fx = y // cell, x // cell, y % cell, x % cell
            corner = [[_lattice(seed, octave, channel, gy + dy, gx + dx) for dx in (0, 1)] for dy in (0, 1)]
            total += share * ((corner[0][0] * (cell - fy) * (cell - fx) + corner[0][1] * (cell - fy) * fx
                               + corner[1][0] * fy * (cell - fx) + corner[1][1] * fy * fx) // (cell * cell))
        picture[:, :, channel] = np.clip((total // 8 - 128) * 2 + 128, 0, 255)
    return picture.astype(np.uint8)


def poster(width, height):
    """(h, w, 3) uint8: flat areas in up to eight colours, divided by an upright, a level and a slanting edge. Windows of equal values."""
    y, x = np.mgrid[0:height, 0:width]
    area = (3 * x >= width) + 2 * (2 * y >= height) + 4 * (2 * (x + y) >= width + height)
    return np.stack([(73 * area + 101 * channel + 40) % 256 for channel in range(3)], axis=2).astype(np.uint8)


def flat(width, height):
    """(h, w, 3) uint8 of one colour."""
    return np.broadcast_to(np.array([40, 141, 242], dtype=np.uint8), (height, width, 3)).copy()


def to_float(picture):
    """uint8 -> float32 in 0..1, rounded once: float(v) / 255.0f."""
    return picture.astype(np.float32) / np.float32(255)


def checksum(words):
    """sum of word_i (2 i + 1) modulo 2^64: enough to notice another file, not an adversary."""
    words = np.ascontiguousarray(words).reshape(-1).astype(np.uint64)
    with np.errstate(over="ignore"):
        return int((words * (np.arange(words.size, dtype=np.uint64) * np.uint64(2) + np.uint64(1))).sum(dtype=np.uint64))


def sketch(gradient):
    """PROBES inner products with fixed vectors of signs: element i of probe 64 b + k has the sign of bit k of splitmix64(4 i + b).

    For a difference d of two gradients, the mean of the squared products of d is |d|^2 with a relative standard deviation of
    sqrt(2 / PROBES) = 12.5%: so a few kB tell the distance of two gradients of any size."""
    g = np.asarray(gradient, dtype=np.float64).reshape(-1)
    counter = np.arange(g.size, dtype=np.uint64) * np.uint64(4)
    products = []
    for block in range(PROBES // 64):
        bits = splitmix64(counter + np.uint64(block))
        for k in range(64):
            sign = np.where((bits >> np.uint64(k)) & np.uint64(1), -1.0, 1.0)
            products.append(float(np.dot(g, sign)))
    return products
