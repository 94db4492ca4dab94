"""Times a training step of `compact` in PyTorch, with the batch of `cargo bench -p captcha-trainer
--bench step`.

    pip install torch==2.15.0 numpy==2.4.6
    python tests/compare/training.py

The network is that of captcha-lens: the same blocks, additive attention, GRU and dense layers, in
single precision, with teacher forcing and AdamW. Here the gradient is clipped as a whole, in
captcha-lens for each parameter. Inputs and texts are random.
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

# filters, padded, batch norm, pooling window
BLOCKS = [
    (24, False, False, (2, 2)),
    (24, True, True, None),
    (32, True, True, (2, 2)),
    (32, True, True, None),
    (32, True, True, None),
    (64, True, True, (2, 2)),
    (64, True, True, None),
    (64, True, True, None),
    (64, True, True, None),
    (128, True, True, None),
    (128, True, True, (2, 1)),
    (160, True, True, None),
    (160, True, True, None),
    (160, True, True, None),
]
INPUT = (12, 98, 194)
FEATURES, EMBEDDING, UNITS, ATTENTION = 128, 64, 192, 64
VOCABULARY, STEPS = 29, 6


class Block(nn.Module):
    """Convolution, pooling, ReLU, batch norm."""

    def __init__(self, channels, filters, padded, norm, window):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, 3, padding=int(padded))
        self.norm = nn.BatchNorm2d(filters) if norm else nn.Identity()
        self.pool = nn.MaxPool2d(window) if window else nn.Identity()

    def forward(self, x):
        return self.norm(functional.relu(self.pool(self.conv(x))))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [INPUT[0]] + [block[0] for block in BLOCKS]
        self.blocks = nn.Sequential(
            *(Block(channel, *block) for channel, block in zip(channels, BLOCKS))
        )
        self.dense = nn.Linear(channels[-1], FEATURES)
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.key = nn.Linear(FEATURES, ATTENTION)
        self.query = nn.Linear(UNITS, ATTENTION)
        self.score = nn.Linear(ATTENTION, 1)
        self.gru = nn.GRUCell(FEATURES + EMBEDDING, UNITS)
        self.hidden = nn.Linear(UNITS, UNITS)
        self.output = nn.Linear(UNITS, VOCABULARY)

    def forward(self, images, tokens):
        maps = self.blocks(images)
        features = functional.relu(self.dense(maps.flatten(2).transpose(1, 2)))
        keys, embedded = self.key(features), self.embedding(tokens)
        state = torch.zeros(len(images), UNITS)
        logits = []
        for step in range(STEPS):
            sums = keys + self.query(state).unsqueeze(1)
            weights = functional.softmax(self.score(torch.tanh(sums)), 1)
            context = (weights * features).sum(1)
            state = self.gru(torch.cat([context, embedded[:, step]], 1), state)
            logits.append(self.output(self.hidden(state)))
        return torch.stack(logits, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    for name, layout in [
        ("default layout", torch.contiguous_format),
        ("channels last", torch.channels_last),
    ]:
        network = Network().to(memory_format=layout)
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
        images = torch.rand(options.batch, *INPUT).to(memory_format=layout)
        texts = torch.randint(3, VOCABULARY, (options.batch, STEPS))
        seconds = []
        for _ in range(options.steps + 3):
            start = time.perf_counter()
            optimizer.zero_grad()
            logits = network(images, texts)
            losses = functional.cross_entropy(logits.flatten(0, 1), texts.flatten())
            (losses * STEPS).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            seconds.append(time.perf_counter() - start)
        median = statistics.median(seconds[3:])  # after warming up
        print(f"{name}: {1000 * median:.0f} ms a step, {options.batch / median:.1f} images/s")


if __name__ == "__main__":
    main()
