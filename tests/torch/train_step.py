#!/usr/bin/env python3
"""Times a training step in PyTorch: the other side of `wuji bench train`, for `cargo xtask bench --vs-torch`.

    python3 tests/torch/train_step.py --family bert --shape 8x256,6x6x384,4096 --mode compile

Models and batches are those of crates/wuji/src/bench/family.rs: a GPT-2 without biases whose head is its own; a BERT on
rows of which up to half is padding, its head on the hidden tokens only; a T5 v1.1 whose targets have a quarter of their
source's length. AdamW (fused), gradients clipped to 1. Prints a JSON object, and exits with
    0   done
    77  torch is not installed
"""

import argparse
import contextlib
import json
import math
import resource
import statistics
import sys
import time

MISSING_PACKAGES = 77

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    print(f"nothing was timed: {error}; pip install torch", file=sys.stderr)
    sys.exit(MISSING_PACKAGES)

IGNORED = -100
WARMUP_STEPS = 3
HIDDEN = 7
TARGET = 4


class Attention(nn.Module):
    """Multi-head attention to the states themselves or to a memory."""

    def __init__(self, width, heads, bias, scale=None):
        super().__init__()
        self.heads, self.scale = heads, scale
        self.query, self.key_value = nn.Linear(width, width, bias), nn.Linear(width, 2 * width, bias)
        self.output = nn.Linear(width, width, bias)

    def forward(self, states, memory=None, mask=None, causal=False):
        memory = states if memory is None else memory
        key, value = self.key_value(memory).chunk(2, dim=-1)
        query, key, value = (self.split(part) for part in (self.query(states), key, value))
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=causal, scale=self.scale
        )
        return self.output(mixed.transpose(1, 2).flatten(2))

    def split(self, states):
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class SelfAttention(nn.Module):
    """The same with one product for queries, keys and values."""

    def __init__(self, width, heads, bias):
        super().__init__()
        self.heads = heads
        self.qkv, self.output = nn.Linear(width, 3 * width, bias), nn.Linear(width, width, bias)

    def forward(self, states, mask=None, causal=False):
        parts = self.qkv(states).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*parts, attn_mask=mask, is_causal=causal)
        return self.output(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, width, inner, bias):
        super().__init__()
        self.up, self.down = nn.Linear(width, inner, bias), nn.Linear(inner, width, bias)

    def forward(self, states):
        return self.down(functional.gelu(self.up(states)))


class GatedMlp(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.gate, self.up = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, states):
        return self.down(functional.gelu(self.gate(states), approximate="tanh") * self.up(states))


class Gpt2(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width = shape.width
        norm = lambda: nn.LayerNorm(width, bias=False)
        self.tokens, self.positions = nn.Embedding(shape.vocabulary, width), nn.Embedding(shape.context, width)
        self.norms = nn.ModuleList(norm() for _ in range(2 * shape.layers))
        self.attention = nn.ModuleList(SelfAttention(width, shape.heads, False) for _ in range(shape.layers))
        self.mlps = nn.ModuleList(Mlp(width, 4 * width, False) for _ in range(shape.layers))
        self.norm, self.head = norm(), nn.Linear(width, shape.vocabulary, bias=False)

    def forward(self, ids):
        states = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for layer, (attention, mlp) in enumerate(zip(self.attention, self.mlps)):
            states = states + attention(self.norms[2 * layer](states), causal=True)
            states = states + mlp(self.norms[2 * layer + 1](states))
        return self.head(self.norm(states)).flatten(0, 1)

    @staticmethod
    def batch(shape):
        ids = torch.randint(shape.vocabulary, (shape.batch, shape.context + 1))
        return (ids[:, :-1].contiguous(),), ids[:, 1:].flatten()


class Bert(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width = shape.width
        self.tokens, self.positions = nn.Embedding(shape.vocabulary, width), nn.Embedding(shape.context, width)
        self.types = nn.Embedding(2, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width, 1e-12) for _ in range(2 * shape.layers + 2))
        self.attention = nn.ModuleList(SelfAttention(width, shape.heads, True) for _ in range(shape.layers))
        self.mlps = nn.ModuleList(Mlp(width, 4 * width, True) for _ in range(shape.layers))
        self.transform, self.bias = nn.Linear(width, width), nn.Parameter(torch.zeros(shape.vocabulary))

    def forward(self, ids, real, hidden):
        states = self.tokens(ids) + self.positions(torch.arange(ids.shape[1])) + self.types(torch.zeros_like(ids))
        states = self.norms[-1](states)
        mask = real[:, None, None, :]
        for layer, (attention, mlp) in enumerate(zip(self.attention, self.mlps)):
            states = self.norms[2 * layer](states + attention(states, mask=mask))
            states = self.norms[2 * layer + 1](states + mlp(states))
        chosen = self.norms[-2](functional.gelu(self.transform(states.flatten(0, 1)[hidden])))
        return functional.linear(chosen, self.tokens.weight, self.bias)

    @staticmethod
    def batch(shape):
        ids = torch.randint(shape.vocabulary, (shape.batch, shape.context))
        real = real_tokens(shape)
        is_hidden = real & (torch.arange(shape.context) % HIDDEN == 0)
        hidden = is_hidden.flatten().nonzero().squeeze(1)
        return (ids, real, hidden), ids.flatten()[hidden]


class T5Stack(nn.Module):
    def __init__(self, shape, is_decoder):
        super().__init__()
        width, layers = shape.width, shape.layers
        norms = lambda: nn.ModuleList(nn.RMSNorm(width, 1e-6) for _ in range(layers))
        attention = lambda: nn.ModuleList(Attention(width, shape.heads, False, scale=1.0) for _ in range(layers))
        self.is_decoder, self.distances = is_decoder, nn.Embedding(32, shape.heads)
        self.attention_norms, self.attention = norms(), attention()
        if is_decoder:
            self.cross_norms, self.cross = norms(), attention()
        self.mlp_norms = norms()
        self.mlps = nn.ModuleList(GatedMlp(width, -(-8 * width // 3)) for _ in range(layers))
        self.norm = nn.RMSNorm(width, 1e-6)

    def forward(self, states, mask, memory=None):
        length = states.shape[1]
        bias = self.distances(buckets(length, not self.is_decoder)).permute(2, 0, 1)[None]
        if self.is_decoder:
            future = torch.ones(length, length, dtype=torch.bool).triu(1)
            bias = bias.masked_fill(future, -torch.inf)
        else:
            bias = bias.masked_fill(~mask, -torch.inf)
        for layer, (attention, mlp) in enumerate(zip(self.attention, self.mlps)):
            states = states + attention(self.attention_norms[layer](states), mask=bias.to(states.dtype))
            if self.is_decoder:
                states = states + self.cross[layer](self.cross_norms[layer](states), memory=memory, mask=mask)
            states = states + mlp(self.mlp_norms[layer](states))
        return self.norm(states)


class T5(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.encoder, self.decoder = T5Stack(shape, False), T5Stack(shape, True)
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)

    def forward(self, source, real, target):
        mask = real[:, None, None, :]
        memory = self.encoder(self.tokens(source), mask)
        return self.head(self.decoder(self.tokens(target), mask, memory)).flatten(0, 1)

    @staticmethod
    def batch(shape):
        source = torch.randint(shape.vocabulary, (shape.batch, shape.context))
        target, labels = torch.randint(shape.vocabulary, (2, shape.batch, max(shape.context // TARGET, 1)))
        return (source, real_tokens(shape), target), labels.flatten()


def buckets(length, is_bidirectional, count=32, furthest=128):
    """T5's buckets of distances, [length, length]."""
    places = torch.arange(length)
    distance = places[None, :] - places[:, None]
    first = 0
    if is_bidirectional:
        count //= 2
        first = count * (distance > 0)
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    near = count // 2
    steps = torch.log(distance.clamp(min=1) / near) / math.log(furthest / near) * (count - near)
    far = (near + steps.long()).clamp(max=count - 1)
    return first + torch.where(distance < near, distance, far)


def real_tokens(shape):
    """Which tokens are no padding: all of the first row, about half of the last."""
    rows = torch.arange(shape.batch)
    lengths = shape.context - rows * (shape.context // 2) // shape.batch
    return torch.arange(shape.context)[None, :] < lengths[:, None]


FAMILIES = {"gpt2": Gpt2, "bert": Bert, "t5": T5}
MODES = ("eager", "compile", "bf16", "compile-bf16")


def read_shape(text):
    """BATCHxCONTEXT,LAYERSxHEADSxWIDTH,VOCABULARY."""
    rows, blocks, vocabulary = text.split(",")
    batch, context = (int(part) for part in rows.split("x"))
    layers, heads, width = (int(part) for part in blocks.split("x"))
    return argparse.Namespace(
        batch=batch, context=context, layers=layers, heads=heads, width=width, vocabulary=int(vocabulary)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=FAMILIES, default="gpt2")
    parser.add_argument("--shape", default="8x256,6x6x384,4096")
    parser.add_argument("--mode", choices=MODES, default="eager")
    parser.add_argument("--steps", type=int, default=10, help=f"timed steps, after {WARMUP_STEPS} that are not")
    parser.add_argument("--threads", type=int, help="threads that compute; all that the machine has when absent")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    shape = read_shape(arguments.shape)
    model = FAMILIES[arguments.family](shape)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            nn.init.normal_(parameter, 0.0, 0.02)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1, fused=True)
    forward = torch.compile(model) if "compile" in arguments.mode else model
    milliseconds = []
    for _ in range(WARMUP_STEPS + arguments.steps):
        inputs, labels = model.batch(shape)
        cast = torch.autocast("cpu", torch.bfloat16) if "bf16" in arguments.mode else contextlib.nullcontext()
        start = time.perf_counter()
        with cast:
            logits = forward(*inputs)
        loss = functional.cross_entropy(logits.float(), labels, ignore_index=IGNORED)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        value = loss.item()
        milliseconds.append(1e3 * (time.perf_counter() - start))
    timed = milliseconds[WARMUP_STEPS:]
    print(
        json.dumps(
            {
                "family": arguments.family,
                "shape": arguments.shape,
                "mode": arguments.mode,
                "torch": torch.__version__,
                "params": sum(parameter.numel() for parameter in model.parameters()),
                "threads": torch.get_num_threads(),
                "ms_per_step": statistics.median_high(timed),
                "min_ms_per_step": min(timed),
                "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "loss": value,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
