"""A Llama with a reward head in plain PyTorch, its names those of Hugging Face's LlamaForSequenceClassification."""
import json
import os

import torch
import torch.nn.functional as F
from torch import nn

from tensor_file import read_tensors


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size))
        self.eps = eps

    def forward(self, x):
        if hasattr(F, "rms_norm"):
            return F.rms_norm(x, x.shape[-1:], self.weight, self.eps)
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def attend(q, k, v, mask):
    """Causal attention over [B, heads, T, D]; mask [B, 1, T, T] adds to the scores, None: causal alone."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    if mask is None:
        mask = torch.full((q.shape[2], q.shape[2]), float("-inf"), device=q.device).triu(1)
    return torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + mask, -1) @ v


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        size = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, name, nn.Linear(size, size, bias=False))

    def forward(self, x, cos, sin, mask):
        batch, length, size = x.shape
        split = lambda y: y.view(batch, length, self.heads, -1).transpose(1, 2)
        q, k, v = (split(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        mixed = attend(rotate(q, cos, sin), rotate(k, cos, sin), v, mask)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, size))


class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        size, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = nn.Linear(size, inner, bias=False)
        self.up_proj = nn.Linear(size, inner, bias=False)
        self.down_proj = nn.Linear(inner, size, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.input_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.mlp = FeedForward(config)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Backbone(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.norm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])


class Llama(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Backbone(config)
        self.score = nn.Linear(config["hidden_size"], 1, bias=False)
        self.tables = {}

    @staticmethod
    def load(folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            model = Llama(json.load(file))
        model.load_state_dict(read_tensors(os.path.join(folder, "model.safetensors")))
        return model

    def rotary(self, length, device):
        """cos and sin [T, D / 2], made once for each length."""
        if (length, device) not in self.tables:
            half = self.config["hidden_size"] // self.config["num_attention_heads"] // 2
            place = torch.arange(half, dtype=torch.float64)
            angles = torch.outer(torch.arange(length), self.config["rope_theta"] ** (-place / half))
            self.tables[length, device] = angles.cos().float().to(device), angles.sin().float().to(device)
        return self.tables[length, device]

    def hidden(self, ids, mask=None):
        """ids [B, T] -> hidden states after the final norm, [B, T, hidden]."""
        cos, sin = self.rotary(ids.shape[1], ids.device)
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask)
        return self.model.norm(x)
