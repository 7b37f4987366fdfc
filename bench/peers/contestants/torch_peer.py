"""PyTorch, answering the requests of serve.ts. Arguments: cpu or cuda, f32 or f16."""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

from tensor_file import read_tensors, write_tensors
from torch_model import Llama, attend
from torch_step import Step

MARK = "@answer "
EPS = 1e-5
LEARNING_RATE = 1e-5


def operation(definition, inputs, device, dtype):
    """A function without arguments that gives the results by name, or None where there is nothing for the case."""
    kind = definition["operation"]
    if dtype != torch.float32 and kind != "linear":
        return None
    tensor = {name: value.to(device, dtype) for name, value in inputs.items()}
    x = tensor["x"]
    if kind == "linear":
        return lambda: {"y": F.linear(x, tensor["weight"])}
    if kind == "layer_norm":
        return lambda: {"y": F.layer_norm(x, x.shape[-1:], tensor["weight"], tensor["bias"], EPS)}
    if kind == "rms_norm":
        if hasattr(F, "rms_norm"):
            return lambda: {"y": F.rms_norm(x, x.shape[-1:], tensor["weight"], EPS)}
        return lambda: {"y": x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * tensor["weight"]}
    if kind == "softmax":
        return lambda: {"y": torch.softmax(x, -1)}
    if kind == "swiglu":
        gate, up = x.chunk(2, -1)
        return lambda: {"y": F.silu(gate) * up}
    if kind in ("attention", "attention_gradient"):
        return attention(definition, x, tensor["dy"])
    return None


def attention(definition, x, dy):
    """x [T, 3 heads D]: q, k and v beside each other, as ours has them."""
    heads, size = definition["sizes"]["heads"], definition["sizes"]["headDim"]
    x.requires_grad_(definition["operation"] == "attention_gradient")

    def forward():
        q, k, v = (part.view(1, -1, heads, size).transpose(1, 2) for part in x.chunk(3, -1))
        return attend(q, k, v, None).transpose(1, 2).reshape(-1, heads * size)

    def gradient():
        x.grad = None
        forward().backward(dy)
        return {"y": x.grad}

    return gradient if x.requires_grad else lambda: {"y": forward()}


def block(definition, inputs, folder, device):
    model = Llama.load(folder).to(device)
    rows = definition["sizes"]["rows"]
    ids = torch.arange(rows, device=device)[None]
    if definition["operation"] == "block":

        def forward():
            with torch.no_grad():
                return {"y": model.hidden(ids)[0]}

        return forward
    dy = inputs["dy"].to(device)

    def gradient():
        model.zero_grad(set_to_none=True)
        model.hidden(ids)[0].backward(dy)
        return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}

    return gradient


class Work:
    """A case that is ready: run does it once, results gives tensors by name."""

    def __init__(self, work):
        self.run = work
        self.results = work


class Peer:
    """precision "f16": f16 matrices, and training by autocast; nothing else then."""

    def __init__(self, device, precision):
        self.device = device
        self.precision = precision
        self.work = None
        self.repeats = 1

    def version(self):
        where = torch.cuda.get_device_name() if self.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        return f"PyTorch {torch.__version__}, {self.precision} on {where}"

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def prepare(self, folder):
        with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
            definition = json.load(file)
        self.repeats = definition["sizes"].get("repeats", 1)
        inputs = read_tensors(os.path.join(folder, "inputs.safetensors"))
        model = os.path.join(folder, "model")
        full = self.precision == "f32"
        if definition["operation"] == "training_step":
            self.work = Step(definition, model, self.device, LEARNING_RATE, "f32" if full else "autocast")
        elif definition["operation"] in ("block", "block_gradient"):
            self.work = Work(block(definition, inputs, model, self.device)) if full else None
        else:
            work = operation(definition, inputs, self.device, torch.float32 if full else torch.float16)
            self.work = None if work is None else Work(work)
        return self.work is not None

    def run(self):
        processor, start = time.process_time(), time.perf_counter()
        for _ in range(self.repeats):
            self.work.run()
        self.wait()
        return {"seconds": time.perf_counter() - start, "processor": time.process_time() - processor}

    def handle(self, request):
        if "prepare" in request:
            return self.prepare(request["prepare"])
        if "run" in request:
            return self.run()
        if "results" in request:
            write_tensors(request["results"], {name: value.detach().cpu() for name, value in self.work.results().items()})
            return True
        self.work = None
        return True


def answer(value):
    sys.stdout.write(MARK + json.dumps(value) + "\n")
    sys.stdout.flush()


def main():
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.backends.cuda.matmul.allow_tf32 = False
    device, precision = (sys.argv[1:] + ["cpu", "f32"][len(sys.argv) - 1 :])[:2]
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("this PyTorch has no CUDA")
    peer = Peer(device, precision)
    answer({"ok": peer.version()})
    for line in sys.stdin:
        try:
            answer({"ok": peer.handle(json.loads(line))})
        except Exception as error:  # told to whoever asked
            answer({"error": f"{type(error).__name__}: {error}"})


main()
