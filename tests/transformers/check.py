#!/usr/bin/env python3
"""Loads model directories that Wuji wrote with Hugging Face transformers, and compares the outputs.

    python3 tests/transformers/check.py --wuji target/release/wuji runs/mine/model ...

Each directory is read twice, by the class that its config names and by `wuji forward`, and both are given the same
random token ids. Prints a row of a Markdown table for each, and exits with
    0   all outputs agree to --tolerance
    1   some do not, or a directory cannot be loaded
    77  torch, transformers or safetensors is not installed: nothing was compared
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

MISSING_PACKAGES = 77

try:
    import torch
    import transformers
    from safetensors.torch import load_file, save_file
except ImportError as error:
    print(f"nothing was compared: {error}; pip install torch transformers safetensors", file=sys.stderr)
    sys.exit(MISSING_PACKAGES)

# What `wuji forward` calls the outputs of transformers.
NAMES = {
    "logits": "logits",
    "prediction_logits": "prediction_logits",
    "seq_relationship_logits": "seq_relationship_logits",
}


def inputs_for(config, generator):
    """Two rows of random ids, with what else the kind of model reads."""
    batch, length = 2, 12

    pad = config.pad_token_id

    def text():
        ids = torch.randint(0, config.vocab_size, (batch, length), generator=generator)
        # RoBERTa counts positions behind padding, and padding would be no text.
        return torch.where(ids == (-1 if pad is None else pad), (ids + 1) % config.vocab_size, ids)

    inputs = {"input_ids": text()}
    if config.is_encoder_decoder:
        inputs["attention_mask"] = torch.ones(batch, length, dtype=torch.int64)
        inputs["decoder_input_ids"] = text()
    if getattr(config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = (torch.arange(length) >= length // 2).long().repeat(batch, 1)
    return inputs


def reference(directory, config, inputs):
    """The outputs of transformers, in single precision."""
    kind = getattr(transformers, config.architectures[0])
    model, info = kind.from_pretrained(directory, dtype=torch.float32, output_loading_info=True)
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[problem]:
            raise ValueError(f"{problem}: {sorted(map(str, info[problem]))}")
    # Fused attention would not give its probabilities.
    if config.is_encoder_decoder:
        model.set_attn_implementation("eager")
    with torch.no_grad():
        outputs = model.eval()(**inputs, output_attentions=config.is_encoder_decoder)
    expected = {ours: outputs[theirs] for theirs, ours in NAMES.items() if theirs in outputs}
    for layer, probabilities in enumerate(outputs.get("cross_attentions") or ()):
        expected[f"cross_attention.{layer}"] = probabilities
    return expected


def ours(wuji, directory, inputs):
    """The outputs of `wuji forward`."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = (str(pathlib.Path(folder) / name) for name in ("in.safetensors", "out.safetensors"))
        save_file({name: ids.contiguous() for name, ids in inputs.items()}, given)
        line = [wuji, "forward", "--model", str(directory), "--inputs", given, "--outputs", found, "--quiet"]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ValueError(done.stderr.strip())
        return load_file(found)


def compare(wuji, directory, tolerance):
    """Prints a row of the table; says whether the outputs agree."""
    config = transformers.AutoConfig.from_pretrained(directory)
    inputs = inputs_for(config, torch.Generator().manual_seed(0))
    expected = reference(directory, config, inputs)
    found = ours(wuji, directory, inputs)
    agrees = bool(expected)
    for name, values in expected.items():
        error = (found[name] - values).abs().max().item()
        # A NaN is not below anything.
        agrees = agrees and error <= tolerance
        largest = values.abs().max().item()
        print(f"| {config.model_type} | {config.architectures[0]} | {name} | {largest:.1f} | {error:.1e} |", flush=True)
    return agrees


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wuji", default="wuji", help="the wuji command")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest absolute error")
    parser.add_argument("directories", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
    print(f"{versions}\n\n| family | class | output | largest value | largest error |\n|---|---|---|---|---|")
    failed = []
    for directory in arguments.directories:
        try:
            if not compare(arguments.wuji, directory, arguments.tolerance):
                failed.append(f"{directory}: the outputs differ")
        except Exception as error:  # Whatever is wrong with one directory, the others are compared.
            failed.append(f"{directory}: {type(error).__name__}: {error}")
    for problem in failed:
        print(problem, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
