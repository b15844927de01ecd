"""What gpu_compare.py compares: a size's pictures and PyTorch's losses and gradient in float64, and both sides behind the same calls."""

import time

import numpy as np
import torch

from model import Objective, Options
from pictures import synthetic, to_float
from torch_variants import lbfgs


def picture(seed, width, height):
    """synthetic, repeated where it is larger than 512: to make it takes NumPy seconds."""
    tile = to_float(synthetic(seed, min(width, 512), min(height, 512)))
    return np.tile(tile, (-(-height // tile.shape[0]), -(-width // tile.shape[1]), 1))[:height, :width]


def difference(losses, gradient, expected_losses, expected_gradient):
    """(largest relative error of a loss; half the squared distance of the gradients over the product of their norms, which is 1 - cos where
    these agree and more where they do not). Not a number where anything is not."""
    distance = (gradient.double() - expected_gradient).square().sum() / (2 * gradient.double().norm() * expected_gradient.norm())
    return np.abs(np.array(losses) / np.array(expected_losses) - 1).max().item(), distance.item()


class Task:
    """Pictures of a size, as arrays and as input of the float32 network, and what PyTorch finds with the float64 one."""

    def __init__(self, float32, float64, width, height):
        self.content, self.style, self.pixels = pictures = [picture(seed, width, height) for seed in (1, 11, 2)]
        self.content_input, self.style_input, self.pixels_input = map(float32.preprocess, pictures)
        torch.backends.cudnn.benchmark = False
        losses, gradient = Objective(float64, self.content, [self.style], Options()).evaluate(float64.preprocess(self.pixels))
        self.losses = [losses["content"], *losses["style"]]
        self.gradient, self.pixel_gradient = gradient, torch.from_numpy(float64.pixel_gradient(gradient))


class Ours:
    def __init__(self, engine, task):
        self.engine, self.task = engine, task
        engine.pictures(task.content, [task.style], Options())

    def difference(self):
        losses, gradient, _ = self.engine.evaluate(self.task.pixels)
        return difference([losses["content"], *losses["style"]], torch.from_numpy(gradient), self.task.losses, self.task.pixel_gradient)

    def evaluations(self, count):
        return self.engine.seconds(self.task.pixels, count)

    def marks(self, count, optimizer="lbfgs-torch"):
        """When each evaluation of a run was done, in seconds since it began."""
        run = self.engine.run(count, optimizer)
        if run["stop_reason"] != "iterations":
            raise ValueError(f"{optimizer} stopped after {len(run['evaluations'])} of {count} evaluations: {run['stop_reason']}")
        return [e["elapsed"] for e in run["evaluations"]]


class Theirs:
    def __init__(self, evaluation, task, network):
        self.evaluation, self.task, self.network = evaluation, task, network

    def start_from(self, pixels):
        with torch.no_grad():
            self.evaluation.x.copy_(pixels)

    def difference(self):
        self.evaluation.begin()
        self.start_from(self.task.pixels_input)
        losses, _, gradient = self.evaluation()
        return difference(losses.tolist(), gradient, self.task.losses, self.task.gradient)

    def evaluations(self, count):
        self.evaluation.begin()
        self.start_from(self.task.pixels_input)
        seconds = []
        for _ in range(count):
            start = time.perf_counter()
            self.evaluation()[1].item()  # waits for all that was enqueued before
            seconds.append(time.perf_counter() - start)
        return seconds

    def marks(self, count):
        self.start_from(self.task.content_input)
        return lbfgs(self.evaluation, count)

    def picture(self):
        x = self.evaluation.x.detach()[0].cpu().numpy().transpose(1, 2, 0)
        return ((x * self.network.std + self.network.mean) / self.network.input_scale).clip(0, 1)
