"""States, gradients and class scores of PyTorch's recurrent and convolutional layers, for `tests/nn/scratch.rs`:

    python tests/peers/networks.py > tests/fixtures/network_reference.json

Weights are not drawn but follow a formula that the test knows too, so that only results stand in the file."""

import json
import math

import torch
from torch import nn

TEXTS = [[3, 1, 4, 1, 5], [2, 6, 5], [3], [5, 0, 2, 6]]
VOCAB, WIDTH, HIDDEN, CLASSES = 7, 4, 3, 2
KERNELS = [1, 2, 3, 4]


def numbers(name, count):
    start = 0.1 * (sum(name.encode()) % 97)
    return [0.4 * math.sin(1.3 * i + start) for i in range(count)]


def weight(name, *shape):
    values = torch.tensor(numbers(name, math.prod(shape)), dtype=torch.float64).to(torch.float32)
    return values.reshape(shape).requires_grad_()


def flat(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def loss_of(states):
    factors = torch.tensor([math.cos(0.9 * i) for i in range(states.numel())], dtype=torch.float32)
    return (states.flatten() * factors).sum()


def recurrent(kind, layers, bidirectional):
    params = {"word_embeddings.weight": weight("word_embeddings.weight", VOCAB, WIDTH)}
    net = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind](WIDTH, HIDDEN, layers, bidirectional=bidirectional)
    for name, own in list(net.named_parameters()):
        params[f"rnn.{name}"] = weight(f"rnn.{name}", *own.shape)
        own.data = params[f"rnn.{name}"].data
    states = torch.cat([net(params["word_embeddings.weight"][torch.tensor(text)])[0] for text in TEXTS])
    loss_of(states).backward()
    grads = {f"rnn.{name}": flat(own.grad) for name, own in net.named_parameters()}
    grads["word_embeddings.weight"] = flat(params["word_embeddings.weight"].grad)
    return {"kind": f"gloss-{kind}", "layers": layers, "bidirectional": bidirectional, "states": flat(states), "grads": grads}


def convolutional(layers):
    params = {"word_embeddings.weight": weight("word_embeddings.weight", VOCAB, WIDTH)}
    inputs = WIDTH
    for layer in range(layers):
        for at, kernel in enumerate(KERNELS):
            # Stored as [filters, kernel * inputs].
            params[f"conv.{layer}.{at}.weight"] = weight(f"conv.{layer}.{at}.weight", HIDDEN, kernel * inputs)
            params[f"conv.{layer}.{at}.bias"] = weight(f"conv.{layer}.{at}.bias", HIDDEN)
        inputs = HIDDEN * len(KERNELS)
    states = []
    for text in TEXTS:
        x = params["word_embeddings.weight"][torch.tensor(text)].T[None]
        for layer in range(layers):
            parts = []
            for at, kernel in enumerate(KERNELS):
                filters = params[f"conv.{layer}.{at}.weight"].reshape(HIDDEN, kernel, -1).permute(0, 2, 1)
                parts.append(nn.functional.conv1d(x, filters, params[f"conv.{layer}.{at}.bias"], padding="same"))
            x = torch.relu(torch.cat(parts, 1))
        states.append(x[0].T)
    states = torch.cat(states)
    loss_of(states).backward()
    grads = {name: flat(own.grad) for name, own in params.items()}
    return {"kind": "gloss-cnn", "layers": layers, "bidirectional": False, "states": flat(states), "grads": grads}


def pooled(pooling):
    """Class scores of states that follow the formula; the first HIDDEN of each are read from left to right."""
    states = weight("states", sum(map(len, TEXTS)), 2 * HIDDEN)
    dense, bias = weight("pooling.dense.weight", 128, 2 * HIDDEN), weight("pooling.dense.bias", 128)
    context = weight("pooling.context.weight", 1, 128)
    vectors = []
    for x in states.split([len(text) for text in TEXTS]):
        if pooling == "attention":
            shares = torch.softmax(torch.tanh(x @ dense.T + bias) @ context.T, 0)
            vectors.append((shares * x).sum(0))
        elif pooling == "last":
            vectors.append(torch.cat([x[-1, :HIDDEN], x[0, HIDDEN:]]))
        else:
            vectors.append(x.mean(0) if pooling == "mean" else x.max(0).values)
    scores = torch.stack(vectors) @ weight("classifier.weight", CLASSES, 2 * HIDDEN).T + weight("classifier.bias", CLASSES)
    loss_of(scores).backward()
    return {"pooling": pooling, "scores": flat(scores), "of_states": flat(states.grad)}


torch.manual_seed(0)
cases = [recurrent(kind, *shape) for kind in ["rnn", "lstm", "gru"] for shape in [(1, False), (2, True)]]
cases += [convolutional(1), convolutional(2)]
poolings = [pooled(pooling) for pooling in ["attention", "last", "mean", "max"]]
print(json.dumps({"torch": torch.__version__, "texts": TEXTS, "cases": cases, "poolings": poolings}))
