"""Writes the network of a weights file as ONNX, for onnxruntime-web to run.

    pip install onnx==1.23.2 numpy==2.4.6 safetensors==0.8.0
    python tests/compare/export.py web/models/compact.safetensors tests/compare/compact.onnx [BATCH]

The graph is written node by node, with greedy decoding unrolled: `image` [batch, 3, height, width]
to `tokens` [batch, steps] and `attention` [batch, steps, rows * cols]. Weights stay in the
precision of the file.
"""

import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

START = 1  # token ids: 0 pads, then <start>, <end> and the alphabet
NORM_EPSILON = 1e-3


class Graph:
    """Nodes and weights, in the order of use."""

    def __init__(self, weights):
        self.weights, self.nodes, self.initializers = weights, [], []
        self.made = {}

    def node(self, kind, *inputs, **attributes):
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values):
        name = f"constant{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def weight(self, path):
        """A tensor of the weights file, in single precision."""
        if path not in self.made:
            values = self.weights.get_tensor(path)
            name = self.constant(values)
            if values.dtype == np.int8:
                scales = self.constant(self.weights.get_tensor(f"{path}.scale"))
                name = self.node("Mul", self.node("Cast", name, to=TensorProto.FLOAT), scales)
            elif values.dtype == np.float16:
                name = self.node("Cast", name, to=TensorProto.FLOAT)
            self.made[path] = name
        return self.made[path]

    def linear(self, path, x):
        product = self.node("MatMul", x, self.weight(f"{path}.weight"))
        return self.node("Add", product, self.weight(f"{path}.bias"))

    def shaped(self, x, *shape):
        return self.node("Reshape", x, self.constant(np.array(shape, np.int64)))


def encode(graph, config, batch, size, x):
    """`[batch, 3, height, width]` to `[batch, positions, features]`."""
    # captcha-lens does this in preprocessing.
    side = config.get("unshuffle", 1)
    if side > 1:
        rows, cols = (length // side for length in size)
        pixels = graph.shaped(x, batch, 3, rows, side, cols, side)
        channels = graph.node("Transpose", pixels, perm=[0, 1, 3, 5, 2, 4])
        x = graph.shaped(channels, batch, 3 * side * side, rows, cols)
    for i, block in enumerate(config["blocks"]):
        path = f"encoder.blocks.{i}"
        pad = 1 if block["padded"] else 0
        x = graph.node(
            "Conv", x, graph.weight(f"{path}.conv.weight"), graph.weight(f"{path}.conv.bias"),
            pads=[pad] * 4,
        )
        window = [2, 2 if block.get("pool_cols", True) else 1]
        pool = lambda y: graph.node("MaxPool", y, kernel_shape=window, strides=window)
        if block["pool"] and config["pool_first"]:
            x = pool(x)
        x = graph.node("Relu", x)
        if block["norm"]:
            names = ("gamma", "beta", "running_mean", "running_var")
            parts = [graph.weight(f"{path}.norm.{name}") for name in names]
            x = graph.node("BatchNormalization", x, *parts, epsilon=NORM_EPSILON)
        if block["pool"] and not config["pool_first"]:
            x = pool(x)
    channels = config["blocks"][-1]["filters"]
    cells = graph.node("Transpose", graph.shaped(x, batch, channels, -1), perm=[0, 2, 1])
    return graph.node("Relu", graph.linear("encoder.dense", cells))


def decode(graph, config, batch, features, steps):
    units, size = config["units"], config["attention"]
    keys = graph.linear("decoder.attention.key", features)
    state = graph.constant(np.zeros((batch, units), np.float32))
    token = graph.constant(np.full([batch], START, np.int64))
    tokens, attention = [], []
    for _ in range(steps):
        query = graph.shaped(graph.linear("decoder.attention.query", state), batch, 1, size)
        hidden = graph.node("Tanh", graph.node("Add", keys, query))
        scores = graph.shaped(graph.linear("decoder.attention.score", hidden), batch, 1, -1)
        weights = graph.node("Softmax", scores, axis=2)
        context = graph.shaped(graph.node("MatMul", weights, features), batch, -1)
        embedded = graph.node("Gather", graph.weight("decoder.embedding.weight"), token)
        x = graph.node("Concat", context, embedded, axis=1)
        zeros = np.zeros((batch, units), np.float32)
        start = state if config["carry_state"] else graph.constant(zeros)
        state = gru(graph, x, start)
        logits = graph.linear("decoder.output", graph.linear("decoder.hidden", state))
        token = graph.node("ArgMax", logits, axis=1, keepdims=0)
        tokens.append(graph.shaped(token, batch, 1))
        attention.append(weights)
    return graph.node("Concat", *tokens, axis=1), graph.node("Concat", *attention, axis=1)


def gru(graph, x, state):
    parts = []
    for path, y in (("input", x), ("recurrent", state)):
        side = graph.linear(f"decoder.gru.{path}", y)
        names = [f"{side}_{gate}" for gate in ("update", "reset", "candidate")]
        graph.nodes.append(helper.make_node("Split", [side], names, axis=1, num_outputs=3))
        parts.append(names)
    (update_x, reset_x, new_x), (update_s, reset_s, new_s) = parts
    update = graph.node("Sigmoid", graph.node("Add", update_x, update_s))
    reset = graph.node("Sigmoid", graph.node("Add", reset_x, reset_s))
    new = graph.node("Tanh", graph.node("Add", new_x, graph.node("Mul", reset, new_s)))
    return graph.node("Add", new, graph.node("Mul", update, graph.node("Sub", state, new)))


def main(source, target, batch="1"):
    batch = int(batch)
    with safe_open(source, framework="numpy") as weights:
        config = json.loads(weights.metadata()["config"])
        if config["input"].get("proportions", "Fixed") != "Fixed":
            raise SystemExit("The exported graph has one input size: take weights with a fixed input.")
        graph = Graph(weights)
        # Older files name it after letters.
        steps = config.get("max_length", config.get("max_letters")) + 1
        size = config["input"]["height"], config["input"]["width"]
        features = encode(graph, config["encoder"], batch, size, "image")
        tokens, attention = decode(graph, config["decoder"], batch, features, steps)
    shape = [batch, 3, *size]
    for made, name in ((tokens, "tokens"), (attention, "attention")):
        graph.nodes.append(helper.make_node("Identity", [made], [name]))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "captcha-lens",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            [
                helper.make_tensor_value_info("tokens", TensorProto.INT64, [batch, steps]),
                helper.make_tensor_value_info("attention", TensorProto.FLOAT, [batch, steps, None]),
            ],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", 21)],
        ir_version=10,
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
