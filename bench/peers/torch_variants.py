"""One loss and gradient in PyTorch, in every form that its users give it: what gpu_compare.py puts beside Impasto.

Forms: eager in both layouts, and, in the layout that the precision's convolutions want, as a CUDA graph, compiled, and compiled and a graph.
The losses are those of model.py with its default options, the arithmetic as docs/precision.md has it: a pure 16-bit network, which spares
the casts of autocast, picture, Gram matrices and losses in float32; in fp16 activations times 2^-4 and gradients times a constant.
"""

import contextlib
import copy
import signal
import time

import torch
import torch.nn.functional as F

from model import LAYERS, Options

DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
# As much as precisions err by themselves, several times over (docs/precision.md): relative error of a loss, 1 - cos of the gradient.
LIMITS = {"fp32": (1e-4, 1e-5), "tf32": (1e-2, 2e-3), "fp16": (1e-2, 5e-3), "bf16": (5e-2, 3e-2)}
ACTIVATION_SCALE = 2.0 ** -4
RESERVE = 4  # binary digits by which gradients may still grow during a run


def favoured_layout(precision):
    """cuDNN's tensor-core engines want channels last, those of strict float32 planes; the other layout costs copies."""
    return "nchw" if precision == "fp32" else "channels_last"


class Gram(torch.autograd.Function):
    """G = F F^T / M, float32, of features (1, c, h, w) kept in any type. That G is symmetric makes its gradient one product, not two."""

    @staticmethod
    def forward(ctx, features):
        ctx.save_for_backward(features)
        rows = Gram.rows(features)
        if rows.dtype == torch.float32:
            product = rows @ rows.t()
        elif rows.is_cuda:
            product = torch.mm(rows, rows.t(), out_dtype=torch.float32)
        else:
            product = rows.float() @ rows.float().t()
        return product / rows.shape[1]

    @staticmethod
    def backward(ctx, gradient):
        (features,) = ctx.saved_tensors
        rows = Gram.rows(features)
        scaled = (gradient * (2 / rows.shape[1])).to(rows.dtype)
        if features.is_contiguous():
            return (scaled @ rows).view_as(features)
        # Pixel by pixel, so that the gradient has the features' layout.
        _, c, h, w = features.shape
        return (rows.t() @ scaled).view(1, h, w, c).permute(0, 3, 1, 2)

    @staticmethod
    def rows(features):
        """(c, M), a view of either layout."""
        return features[0].flatten(1) if features.is_contiguous() else features[0].permute(1, 2, 0).flatten(0, 1).t()


class Objective(torch.nn.Module):
    """Losses of x (1, 3, h, w), float32, contiguous, the network's input. network: model.Network in float32, of the device."""

    def __init__(self, network, content, style, precision, layout):
        super().__init__()
        self.dtype, self.layout = DTYPES[precision], LAYOUTS[layout]
        self.scale = ACTIVATION_SCALE if precision == "fp16" else 1.0
        options = Options()
        self.style_layers = [name.removeprefix("relu") for name in options.style_layers]
        self.content_layer = options.content_layers[0].removeprefix("relu")
        self.depth = LAYERS.index(self.style_layers[-1]) + 1
        self.content_weight, self.style_weight = options.content_weight / self.scale ** 2, options.style_weights[0] / self.scale ** 4
        # Buffers, which compiled code may take as constant in place.
        for i, layer in enumerate(LAYERS[:self.depth]):
            weight = network.weight[layer] * (self.scale if i == 0 else 1.0)
            self.register_buffer(f"weight{layer}", weight.to(self.dtype, memory_format=self.layout))
            self.register_buffer(f"bias{layer}", (network.bias[layer] * self.scale).to(self.dtype))
        with torch.no_grad():
            self.register_buffer("target", self.features(content)[self.content_layer].float())
            found = self.features(style)
            for layer in self.style_layers:
                self.register_buffer(f"gram{layer}", Gram.apply(found[layer]))

    def features(self, x):
        h, found = x.to(self.dtype, memory_format=self.layout), {}
        for layer in LAYERS[:self.depth]:
            if layer.endswith("_1") and layer != "1_1":
                h = F.max_pool2d(h, 2)
            h = F.relu(F.conv2d(h, getattr(self, f"weight{layer}"), getattr(self, f"bias{layer}"), padding=1), inplace=True)
            if layer in self.style_layers or layer == self.content_layer:
                found[layer] = h
        return found

    def forward(self, x):
        """[content, style of each layer], float32."""
        found = self.features(x)
        losses = [self.content_weight * F.mse_loss(found[self.content_layer].float(), self.target)]
        for layer in self.style_layers:
            f = found[layer]
            losses.append(self.style_weight / f.shape[1] ** 2 * F.mse_loss(Gram.apply(f), getattr(self, f"gram{layer}")))
        return torch.stack(losses)


class Evaluation:
    """A form of one loss and gradient. A call returns (losses, their total, dL/dx) at what x holds, on the device, and may overwrite what
    the call before returned. begin() before a row of calls, where another's may have come in between."""

    def __init__(self, network, content, style, pixels, precision, layout, compiled=False):
        self.precision, self.favoured = precision, layout == favoured_layout(precision)
        self.begin()
        objective = Objective(network, content, style, precision, layout)
        self.losses = objective
        self.x = pixels.clone().requires_grad_(True)
        self.gradient_scale = 1.0
        if precision == "fp16":
            self._settle_gradient_scale()
        if compiled:
            # What cannot be compiled as a whole is an error instead of partly eager.
            self.losses = torch.compile(objective, fullgraph=True, dynamic=False)
        self.call = self._evaluate
        # PyTorch's own first calls are done with: what they load, plan, measure and compile.
        for _ in range(2):
            self._evaluate()

    def as_graph(self):
        """The same, sharing all memory, as a CUDA graph."""
        self.begin()
        graph = copy.copy(self)
        graph.call = capture(self._evaluate, self.x.device)
        return graph

    def begin(self):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = self.precision != "fp32"
        # Engines are measured, as one has it done for a fixed size, in the layout that may be the quickest; measuring takes seconds.
        torch.backends.cudnn.benchmark = self.favoured

    def __call__(self):
        return self.call()

    def _evaluate(self):
        losses = self.losses(self.x)
        total = losses.sum()
        scaled = self.gradient_scale != 1
        (gradient,) = torch.autograd.grad(total * self.gradient_scale if scaled else total, self.x)
        return losses.detach(), total.detach(), gradient / self.gradient_scale if scaled else gradient

    def _settle_gradient_scale(self):
        """The largest 16^n with which binary16 holds all gradients here, less a reserve. Constant afterwards, as frozen weights allow."""
        for exponent in range(24, -48, -4):
            self.gradient_scale = 2.0 ** exponent
            if torch.isfinite(self._evaluate()[2]).all():
                self.gradient_scale *= 2.0 ** -RESERVE
                return
        raise ValueError("no scale keeps the gradients within fp16")


def capture(evaluate, device):
    """evaluate as a CUDA graph: its replay returns what the captured call returned, overwritten. On the CPU, to try the script: evaluate."""
    if torch.device(device).type != "cuda":
        return evaluate
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        evaluate()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = evaluate()

    def replay():
        graph.replay()
        return results

    return replay


def lbfgs(evaluation, evaluations):
    """torch.optim.LBFGS (lr 1, history 100) from where x stands, as its users run it; moves x. Returns when each evaluation began, on the host's
    clock. The host reads the loss once an iteration, when LBFGS asks for it."""
    optimizer = torch.optim.LBFGS([evaluation.x], lr=1, max_iter=evaluations, history_size=100)
    marks, total = [], None
    evaluation.begin()

    def closure():
        nonlocal total
        marks.append(time.perf_counter())
        _, total, gradient = evaluation()
        # LBFGS takes it for a row of numbers.
        evaluation.x.grad = gradient.contiguous()
        return total

    optimizer.step(closure)
    if len(marks) < evaluations:
        raise ValueError(f"LBFGS stopped after {len(marks)} of {evaluations} evaluations")
    if not torch.isfinite(total):
        raise ValueError(f"the loss after {evaluations} evaluations of LBFGS is {total.item()}")
    return marks


class OutOfTime(Exception):
    """Of no type that a compiler has an answer to."""


class CompileAllowance:
    """Seconds for all compilation together, spent in the order of asking."""

    def __init__(self, seconds):
        self.all = self.left = seconds

    @contextlib.contextmanager
    def spending(self):
        """Raises TimeoutError in the body, on the main thread, when nothing is left."""
        if self.left < 1:
            raise TimeoutError(f"the {self.all:g} s for compiling are spent")

        fired = []

        def out_of_time(*_):
            fired.append(True)
            raise OutOfTime

        before = signal.signal(signal.SIGALRM, out_of_time)
        start = time.perf_counter()
        # Again and again, for where it is raised somebody may drop it.
        signal.setitimer(signal.ITIMER_REAL, self.left, 2)
        try:
            yield
        except Exception as error:
            if fired:
                raise TimeoutError(f"not compiled within what was left of {self.all:g} s") from error
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            self.left -= time.perf_counter() - start


def one_line(error):
    """The second line too: where a compiler failed, the first says no more than that."""
    return f"{type(error).__name__}: {' '.join(' '.join(str(error).split(chr(10))[:2]).split())}"[:300]
