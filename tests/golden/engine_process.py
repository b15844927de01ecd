"""The library as a process that answers: a client of evaluate_pixels (evaluate_pixels.cc says what it takes)."""

import dataclasses
import json
import os
import subprocess
import tempfile

import numpy as np


class Engine:
    def __init__(self, program, weights, device="cpu", threads=0, cpu_isa="", tile=0, precision="auto", autotune=False):
        self._folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.description = self.ask(open=weights, device=device, threads=threads, cpu_isa=cpu_isa, tile=tile, precision=precision,
                                    autotune=autotune)["device"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self._folder.cleanup()

    def ask(self, **request):
        self._send(json.dumps(request))
        return self._receive()

    def _send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the program ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def _file(self, name):
        return os.path.join(self._folder.name, name)

    def _picture(self, name, picture):
        np.asarray(picture, dtype="<f4").tofile(self._file(name))
        return {"file": self._file(name), "width": picture.shape[1], "height": picture.shape[0]}

    def pictures(self, content, styles, options):
        self.shape = content.shape
        self.ask(pictures={"content": self._picture("content", content),
                           "styles": [self._picture(f"style{i}", s) for i, s in enumerate(styles)]},
                 options=dataclasses.asdict(options))

    def evaluate(self, pixels):
        """(losses, dL/dpixels (h, w, 3), seconds)"""
        answer = self.ask(evaluate=self._picture("pixels", pixels), gradient=self._file("gradient"))
        return answer["losses"], np.fromfile(self._file("gradient"), dtype="<f8").reshape(self.shape), answer["seconds"]

    def seconds(self, pixels, evaluations):
        """Of each of so many evaluations, the picture on the device: [seconds]."""
        return self.ask(time=self._picture("pixels", pixels), evaluations=evaluations)["seconds"]

    def run(self, iterations, optimizer="lbfgs-torch"):
        """Dictionary with evaluations, stop_reason, elapsed, picture."""
        answer = self.ask(run=iterations, optimizer=optimizer, paced=False, picture=self._file("picture"))
        return {**answer, "picture": np.fromfile(self._file("picture"), dtype="<f4").reshape(self.shape)}

    def paced_run(self, iterations, optimizer="lbfgs-torch"):
        """Yields each evaluation of a run, which waits in between."""
        self._send(json.dumps({"run": iterations, "optimizer": optimizer, "paced": True, "picture": None}))
        for _ in range(iterations):
            answer = self._receive()
            if "stop_reason" in answer:
                return
            yield answer
            self._send("go")
        self._receive()

    def peak_bytes(self):
        return self.ask(memory=True)["peak_bytes"]
