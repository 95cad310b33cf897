#!/usr/bin/env python3
"""Writes files with `torch.save` into a folder, and beside each what a reader should find in it, as safetensors.

    python3 tests/transformers/torch_files.py FOLDER

Exits with 77 where torch or safetensors is not installed.
"""

import argparse
import collections
import pathlib
import sys

MISSING_PACKAGES = 77

try:
    import torch
    from safetensors.torch import save_file
except ImportError as error:
    print(f"nothing was written: {error}; pip install torch safetensors", file=sys.stderr)
    sys.exit(MISSING_PACKAGES)


def network():
    """Two layers whose weights are one tensor, a norm with buffers, and parameters without gradients."""
    first, second = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
    second.weight = first.weight
    second.bias.requires_grad_(False)
    norm = torch.nn.BatchNorm1d(3)
    norm.register_buffer("scale", torch.rand(2))
    return torch.nn.Sequential(first, second, norm)


def cases():
    """What is saved, what should be found, and how it is saved."""
    weights = {name: torch.randn(4, 3) for name in ("a.weight", "b.weight")}
    types = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
    for name, dtype in types.items():
        typed = {key: value.to(dtype) for key, value in weights.items()}
        yield name, typed, typed, {}
    base = torch.arange(60, dtype=torch.float32).reshape(5, 12)
    views = {
        "whole": base,
        "again": base,
        "transposed": base.t(),
        "column": base[:, 3],
        "every_other": base[1::2, ::3],
        "permuted": base.reshape(5, 3, 4).permute(2, 0, 1),
        "expanded": base[0, :4].expand(3, 4),
        "scalar": base[2, 2],
        "empty": base[:, :0],
    }
    yield "views", views, views, {}
    state = network().state_dict()
    # The count of batches is an integer, no weight.
    floats = {name: value for name, value in state.items() if value.is_floating_point()}
    yield "module", state, floats, {}
    parameters = collections.OrderedDict((name, torch.nn.Parameter(value)) for name, value in weights.items())
    yield "parameters", parameters, weights, {}
    optimizer = torch.optim.AdamW(parameters.values())
    sum(value.square().sum() for value in parameters.values()).backward()
    optimizer.step()
    checkpoint = {
        "epoch": 3,
        "loss": 0.5,
        "args": argparse.Namespace(lr=1e-3, betas=(0.9, 0.95), name="run", resume=None),
        "optimizer": optimizer.state_dict(),
        "state_dict": parameters,
    }
    weights = {name: value.detach() for name, value in parameters.items()}
    yield "checkpoint", checkpoint, weights, {}
    for protocol in (3, 4, 5):
        yield f"protocol{protocol}", parameters, weights, {"pickle_protocol": protocol}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    torch.manual_seed(0)
    for name, saved, expected, options in cases():
        torch.save(saved, folder / f"{name}.pt", **options)
        copies = {key: value.detach().clone().contiguous() for key, value in expected.items()}
        save_file(copies, folder / f"{name}.safetensors")
    torch.save(network().state_dict(), folder / "old.pt", _use_new_zipfile_serialization=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
