"""A step of reward-model training as TRL's RewardTrainer does it: chosen and rejected in one padded batch."""
import contextlib

import torch
import torch.nn.functional as F

from torch_model import Llama


class Step:
    """
    definition: the case, with its pairs; folder: the model.
    Padding stands right, so that causal attention alone keeps it out of what is read: without a mask PyTorch takes its
    fastest kernels. precision "autocast": f32 weights, 16-bit products (f16 on a GPU, bf16 on a CPU).
    """

    def __init__(self, definition, folder, device, lr, precision="f32"):
        self.model = Llama.load(folder).to(device)
        pairs = definition["pairs"]
        rows = [p["prompt"] + p[reply] for reply in ("chosen", "rejected") for p in pairs]
        longest = max(len(row) for row in rows)
        self.ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=device)
        self.last = torch.tensor([len(row) - 1 for row in rows], device=device)
        fused = {"fused": True} if device == "cuda" else {}
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=lr, weight_decay=0.0, **fused)
        self.autocast = precision == "autocast"
        # Losses are scaled so that f16 gradients do not vanish; a GPU's matter alone, and bf16 elsewhere needs none.
        self.scaler = torch.cuda.amp.GradScaler(enabled=self.autocast and device == "cuda")
        self.device = device

    def precision(self):
        if not self.autocast:
            return contextlib.nullcontext()
        return torch.autocast(self.device, dtype=torch.float16 if self.device == "cuda" else torch.bfloat16)

    def gradients(self):
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision():
            hidden = self.model.hidden(self.ids)
            rewards = self.model.score(hidden[torch.arange(len(self.last)), self.last])[:, 0]
            chosen, rejected = rewards.chunk(2)
            loss = -F.logsigmoid(chosen - rejected).mean()
        self.scaler.scale(loss).backward()
        return loss

    def run(self):
        loss = self.gradients()
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.item()

    def results(self):
        loss = self.gradients()
        self.scaler.unscale_(self.optimizer)
        found = {name: value.grad for name, value in self.model.named_parameters()}
        return {"loss": loss.detach().reshape(1), **found}
