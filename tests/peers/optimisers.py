"""Values of tests/nn/optimisers.json: a matrix and a bias after steps of torch's optimisers. No seed: numbers by formula.

    python optimisers.py > ../nn/optimisers.json
"""

import json

import torch


def numbers(count, salt):
    return [((i * 37 + salt * 17) % 23) / 11.5 - 1.0 for i in range(count)]


def run(make):
    matrix = torch.nn.Parameter(torch.tensor(numbers(12, 3)).reshape(3, 4))
    bias = torch.nn.Parameter(torch.tensor(numbers(3, 5)))
    optimiser = make([{"params": [matrix], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}])
    steps = []
    for step in range(6):
        matrix.grad = torch.tensor(numbers(12, 10 + step)).reshape(3, 4)
        bias.grad = torch.tensor(numbers(3, 20 + step))
        optimiser.step()
        steps.append({"matrix": matrix.detach().flatten().tolist(), "bias": bias.detach().tolist()})
    return steps


print(
    json.dumps(
        {
            "torch": torch.__version__,
            "adamw": run(lambda groups: torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.999), eps=1e-8)),
            "sgd": run(lambda groups: torch.optim.SGD(groups, lr=0.01)),
            "momentum": run(lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.9)),
            "adafactor": run(lambda groups: torch.optim.Adafactor(groups, lr=0.01)),
            "adafactor_high": run(lambda groups: torch.optim.Adafactor(groups, lr=0.9)),
        },
        indent=1,
    )
)
