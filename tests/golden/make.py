"""Writes the golden vectors, which compare captcha-model with PyTorch.

    pip install torch==2.15.0 numpy==2.4.6
    python tests/golden/make.py

The network has the same plan at a small size, with PyTorch's own layers and seeded weights.
`weights.safetensors` is a weights file of captcha-lens. `vectors.safetensors` holds inputs and the
outputs that PyTorch computes. `tests/golden.rs` compares them.
"""

import json
import struct
from pathlib import Path

import numpy as np
import torch
from torch import nn

CONFIG = {
    "input": {"height": 20, "width": 40, "resampling": "Area", "inverted": False},
    "encoder": {
        "blocks": [
            {"filters": 4, "padded": False, "norm": True, "pool": True},
            {"filters": 6, "padded": True, "norm": True, "pool": False},
            {"filters": 8, "padded": True, "norm": False, "pool": True},
            {"filters": 8, "padded": True, "norm": True, "pool": False},
        ],
        "dropout": 0.5,
        "features": 10,
        "norm_momentum": 0.01,
        "pool_first": False,
    },
    "decoder": {"embedding": 5, "units": 12, "attention": 9, "carry_state": True},
    "alphabet": "abcdefgh",
    "max_length": 4,
}
BATCH = 4
START = 1  # token ids: 0 pads, then <start>, <end> and the alphabet
VOCABULARY = 3 + len(CONFIG["alphabet"])
STEPS = CONFIG["max_length"] + 1


class Block(nn.Module):
    """Convolution, ReLU, batch norm, max-pooling."""

    def __init__(self, channels, filters, padded, norm, pool):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, 3, padding="same" if padded else "valid")
        self.norm = nn.BatchNorm2d(filters, eps=1e-3) if norm else None
        self.pool = nn.MaxPool2d(2) if pool else nn.Identity()

    def forward(self, x, pool_first=False):
        norm = self.norm or nn.Identity()
        if pool_first:
            return norm(self.pool(self.conv(x)).relu())
        return self.pool(norm(self.conv(x).relu()))


class Network(nn.Module):
    """The paper's plan at the sizes of CONFIG."""

    def __init__(self):
        super().__init__()
        encoder, decoder = CONFIG["encoder"], CONFIG["decoder"]
        features, units, size = encoder["features"], decoder["units"], decoder["attention"]
        channels = [3] + [block["filters"] for block in encoder["blocks"]]
        self.blocks = nn.ModuleList(
            Block(before, **block) for before, block in zip(channels, encoder["blocks"])
        )
        self.dense = nn.Linear(channels[-1], features)
        self.embedding = nn.Embedding(VOCABULARY, decoder["embedding"])
        self.key = nn.Linear(features, size)
        self.query = nn.Linear(units, size)
        self.score = nn.Linear(size, 1)
        self.gru = nn.GRUCell(features + decoder["embedding"], units)
        self.hidden = nn.Linear(units, units)
        self.output = nn.Linear(units, VOCABULARY)

    def encode(self, images, pool_first=False):
        maps = images
        for block in self.blocks:
            maps = block(maps, pool_first)
        return self.dense(maps.flatten(2).transpose(1, 2)).relu()

    def attend(self, features, state):
        scores = self.score(torch.tanh(self.key(features) + self.query(state)[:, None]))
        weights = scores.squeeze(2).softmax(1)
        return (weights[:, :, None] * features).sum(1), weights

    def decode(self, features, carry_state):
        """Greedy; token ids [B, S], logits [B, S, V] and attention [B, S, P]."""
        state = torch.zeros(len(features), CONFIG["decoder"]["units"])
        token = torch.full([len(features)], START)
        steps = []
        for _ in range(STEPS):
            context, weights = self.attend(features, state)
            x = torch.cat([context, self.embedding(token)], 1)
            state = self.gru(x, state if carry_state else torch.zeros_like(state))
            logits = self.output(self.hidden(state))
            token = logits.argmax(1)
            steps.append((token, logits, weights))
        return [torch.stack(outcome, 1) for outcome in zip(*steps)]


def randomize(network, generator):
    """Sets seeded weights, large enough that steps and images differ, and statistics other than 0 and 1."""

    def draw(tensor, spread, mean=0.0):
        tensor.data = mean + spread * torch.randn(tensor.shape, generator=generator)

    for name, parameter in network.named_parameters():
        gain = 1.4 if name.startswith(("blocks", "dense")) else 3.0
        draw(parameter, 0.3 if parameter.dim() == 1 else gain / parameter[0].numel() ** 0.5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            draw(module.weight, 0.2, mean=1.0)
            draw(module.running_mean, 0.3, mean=0.5)
            module.running_var = 0.3 + torch.rand(module.running_var.shape, generator=generator)


def weights(network):
    """The parameters with the names and layouts of captcha-lens."""
    tensors = {}

    def linear(name, layer):
        tensors[f"{name}.weight"] = layer.weight.T
        tensors[f"{name}.bias"] = layer.bias

    for i, block in enumerate(network.blocks):
        name = f"encoder.blocks.{i}"
        tensors[f"{name}.conv.weight"] = block.conv.weight
        tensors[f"{name}.conv.bias"] = block.conv.bias
        if block.norm:
            tensors[f"{name}.norm.gamma"] = block.norm.weight
            tensors[f"{name}.norm.beta"] = block.norm.bias
            tensors[f"{name}.norm.running_mean"] = block.norm.running_mean
            tensors[f"{name}.norm.running_var"] = block.norm.running_var
    linear("encoder.dense", network.dense)
    tensors["decoder.embedding.weight"] = network.embedding.weight
    for part in ["key", "query", "score"]:
        linear(f"decoder.attention.{part}", getattr(network, part))
    for ours, theirs in [("input", "ih"), ("recurrent", "hh")]:
        # PyTorch: reset, update, candidate. Keras and captcha-lens: update, reset, candidate.
        for kind in ["weight", "bias"]:
            reset, update, candidate = getattr(network.gru, f"{kind}_{theirs}").chunk(3)
            gates = torch.cat([update, reset, candidate])
            tensors[f"decoder.gru.{ours}.{kind}"] = gates.T if kind == "weight" else gates
    linear("decoder.hidden", network.hidden)
    linear("decoder.output", network.output)
    return tensors


def vectors(network, generator):
    """Inputs, and the outputs of each part of the network."""
    images = torch.rand(BATCH, 3, 20, 40, generator=generator)
    images *= torch.rand(BATCH, 3, 1, 1, generator=generator)
    features = network.encode(images)
    state = torch.randn(BATCH, network.gru.hidden_size, generator=generator)
    x = torch.randn(BATCH, network.gru.input_size, generator=generator)
    context, attention = network.attend(features, state)
    tensors = {
        "images": images,
        "block": network.blocks[0](images),
        "features": features,
        "features_pooled_first": network.encode(images, pool_first=True),
        "state": state,
        "context": context,
        "attention": attention,
        "x": x,
        "next_state": network.gru(x, state),
    }
    for name, carry_state in [("carried", True), ("restarted", False)]:
        tokens, logits, attention = network.decode(features, carry_state)
        first, second = logits.topk(2, dim=2).values.unbind(2)
        assert (first - second).min() > 1e-2, "two logits are nearly equal, so rounding could change the answer"
        assert len(tokens.unique()) > 5, "the answers are too similar to show a mistake"
        tensors |= {f"{name}.tokens": tokens, f"{name}.logits": logits}
        tensors[f"{name}.attention"] = attention
    return tensors


def save(path, tensors, metadata):
    """Writes a safetensors file, always with the same bytes."""
    header, body = {"__metadata__": metadata} if metadata else {}, b""
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().contiguous().numpy()
        kind = {"float32": "F32", "int64": "I64"}[values.dtype.name]
        data = values.astype(values.dtype.newbyteorder("<")).tobytes()
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": offsets}
        body += data
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + body)


@torch.no_grad()
def main():
    generator = torch.Generator().manual_seed(119)
    network = Network().eval()
    randomize(network, generator)
    here = Path(__file__).parent
    metadata = {
        "format": "captcha-lens/1",
        "config": json.dumps(CONFIG),
        "training": json.dumps({"from": "tests/golden/make.py"}),
    }
    save(here / "weights.safetensors", weights(network), metadata)
    save(here / "vectors.safetensors", vectors(network, generator), None)


if __name__ == "__main__":
    main()
