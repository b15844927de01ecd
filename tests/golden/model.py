"""Impasto's mathematics once more, in PyTorch: what the golden files are made with.

Nothing is shared with the engine but the weight file (weights_converter/FORMAT.md): pictures are numpy arrays (h, w, 3), RGB, 0..1, as
impasto::Image; losses are those of include/impasto/options.h; x is the network's input, (1, 3, h, w) in the file's channel order.
"""

import dataclasses

import h5py
import numpy as np
import torch
import torch.nn.functional as F

BLOCKS = {1: 2, 2: 2, 3: 4, 4: 4, 5: 4}  # convolutions per block; 2x2 pooling between the blocks
LAYERS = [f"{n}_{m}" for n, count in BLOCKS.items() for m in range(1, count + 1)]


@dataclasses.dataclass
class Options:
    """StyleOptions' names and defaults, for a network fed 0..255."""

    content_layers: list = dataclasses.field(default_factory=lambda: ["relu4_2"])
    style_layers: list = dataclasses.field(default_factory=lambda: ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"])
    content_weight: float = 1.0
    style_weights: list = dataclasses.field(default_factory=lambda: [1000.0])
    tv_weight: float = 0.0
    style_blend: list = dataclasses.field(default_factory=list)
    pooling: str = "max"

    def style_weight(self, i):
        return self.style_weights[0] if len(self.style_weights) == 1 else self.style_weights[i]

    def blend(self, styles):
        shares = self.style_blend or [1.0] * styles
        return [share / sum(shares) for share in shares]


class Network:
    """VGG19's convolutions, frozen."""

    def __init__(self, path, dtype=torch.float64, memory_format=torch.contiguous_format, device="cpu"):
        self.dtype = dtype
        self.device = device
        self.memory_format = memory_format
        with h5py.File(path, "r") as file:
            self.channel_order = str(np.array(file.attrs["channel_order"]).item().decode() if isinstance(file.attrs["channel_order"], bytes)
                                     else file.attrs["channel_order"])
            self.input_scale = float(np.asarray(file.attrs["input_scale"]).item())
            self.mean = np.asarray(file.attrs["mean"], dtype=np.float64)
            self.std = np.asarray(file.attrs["std"], dtype=np.float64)
            self.weight = {l: self._tensor(file[f"conv{l}/weight"]) for l in LAYERS}
            self.bias = {l: self._tensor(file[f"conv{l}/bias"]) for l in LAYERS}
        if self.channel_order not in ("RGB", "BGR"):
            raise ValueError(f"{path}: channel_order {self.channel_order!r}")

    def _tensor(self, dataset):
        tensor = torch.from_numpy(np.asarray(dataset, dtype=np.float32)).to(self.device, self.dtype)
        return tensor.to(memory_format=self.memory_format) if tensor.dim() == 4 else tensor

    def preprocess(self, picture):
        """(h, w, 3) RGB 0..1 -> (1, 3, h, w): (input_scale * p - mean) / std, computed in float64."""
        p = np.asarray(picture, dtype=np.float64)
        if self.channel_order == "BGR":
            p = p[:, :, ::-1]
        x = ((self.input_scale * p - self.mean) / self.std).transpose(2, 0, 1)[None]
        return torch.from_numpy(np.ascontiguousarray(x)).to(self.device, self.dtype).contiguous(memory_format=self.memory_format)

    def pixel_gradient(self, grad_x):
        """dL/dx (1, 3, h, w) -> dL/dp (h, w, 3), float64."""
        g = grad_x[0].double().cpu().numpy().transpose(1, 2, 0) * (self.input_scale / self.std)
        return np.ascontiguousarray(g[:, :, ::-1] if self.channel_order == "BGR" else g)

    def features(self, x, names, pooling):
        """{name: (c, h, w)} for names convN_M (before ReLU) and reluN_M; computes no further than the last of them."""
        wanted, found, h = set(names), {}, x
        pool = {"max": F.max_pool2d, "average": F.avg_pool2d}[pooling]
        for layer in LAYERS:
            if layer.endswith("_1") and layer != "1_1":
                h = pool(h, 2)
            h = F.conv2d(h, self.weight[layer], self.bias[layer], padding=1)
            if f"conv{layer}" in wanted:
                found[f"conv{layer}"] = h[0]
            h = F.relu(h, inplace=f"conv{layer}" not in wanted)
            if f"relu{layer}" in wanted:
                found[f"relu{layer}"] = h[0]
            if len(found) == len(wanted):
                return found
        raise ValueError(f"no such layer: {sorted(wanted - set(found))}")


def gram(f):
    """F F^T / M, F = f as (c, M); without a copy where f is channels_last."""
    m = f.flatten(1) if f.is_contiguous() else f.permute(1, 2, 0).flatten(0, 1).t()
    return m @ m.t() / m.shape[1]


class Objective:
    """Losses of x against a content picture and style pictures, by term."""

    def __init__(self, network, content, styles, options):
        self.network, self.options = network, options
        with torch.no_grad():
            self.targets = network.features(network.preprocess(content), options.content_layers, options.pooling) \
                if options.content_layers else {}
            self.grams = {name: 0 for name in options.style_layers}
            for share, style in zip(options.blend(len(styles)), styles):
                features = network.features(network.preprocess(style), options.style_layers, options.pooling) if self.grams else {}
                for name, f in features.items():
                    self.grams[name] = self.grams[name] + share * gram(f)

    def terms(self, x):
        """{"content", "style" (list), "tv"}, weights included; scalars that carry gradients."""
        o = self.options
        features = self.network.features(x, o.content_layers + o.style_layers, o.pooling) if o.content_layers or o.style_layers else {}
        content = sum(o.content_weight * ((features[n] - p) ** 2).mean() for n, p in self.targets.items())
        style = [o.style_weight(i) / features[n].shape[0] ** 2 * ((gram(features[n]) - self.grams[n]) ** 2).mean()
                 for i, n in enumerate(o.style_layers)]
        tv = 0.0 * x.sum()
        if o.tv_weight:
            tv = o.tv_weight * (((x[:, :, 1:] - x[:, :, :-1]) ** 2).sum() + ((x[:, :, :, 1:] - x[:, :, :, :-1]) ** 2).sum()) / x.numel()
        return {"content": content + 0.0 * x.sum(), "style": style, "tv": tv}

    def evaluate(self, x):
        """Losses as floats, with "total", and dL/dx."""
        x = x.detach().requires_grad_(True)
        terms = self.terms(x)
        total = terms["content"] + sum(terms["style"]) + terms["tv"]
        (grad,) = torch.autograd.grad(total, x)
        losses = {"total": total.item(), "content": terms["content"].item(), "style": [s.item() for s in terms["style"]],
                  "tv": terms["tv"].item()}
        return losses, grad


def lbfgs_trajectory(network, content, styles, options, evaluations, lr=1.0, history=100):
    """[losses + gradient_rms] at evaluations 1..n of torch.optim.LBFGS without line search, from the content, and the last x."""
    objective = Objective(network, content, styles, options)
    x = network.preprocess(content).requires_grad_(True)
    optimizer = torch.optim.LBFGS([x], lr=lr, max_iter=20, history_size=history)
    trace = []

    def closure():
        losses, grad = objective.evaluate(x)
        trace.append({**losses, "gradient_rms": grad.double().square().mean().sqrt().item()})
        x.grad = grad
        return torch.tensor(losses["total"], dtype=torch.float64)

    while len(trace) < evaluations:
        before = len(trace)
        optimizer.step(closure)
        if len(trace) < before + 20:
            break  # one of torch's tolerances was met
    return trace[:evaluations], x.detach()
