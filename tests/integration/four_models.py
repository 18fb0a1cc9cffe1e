"""A stage that trains four small models and writes a digest of each of their tensors.

Small because it also runs in an emulator; large enough to meet the kernels that choose by processor: matrix products,
convolutions, batch normalisation, attention, LSTM cells, and vectorised functions of torch and numpy.
"""

import numpy as np
import torch
from torch import nn

from reprobuild_worker import stage
from reprobuild_worker.digest import digest_state

STEPS = 5


class LastStep(nn.Module):
    """An LSTM's output at the last position, as scores."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(24, 48, num_layers=2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(48, 10)

    def forward(self, rows):
        return self.head(self.lstm(rows)[0][:, -1])


def perceptron():
    return nn.Sequential(nn.Linear(300, 200), nn.Tanh(), nn.Linear(200, 10)), (64, 300)


def convolutional():
    features = [nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.MaxPool2d(2)]
    return nn.Sequential(*features, nn.Flatten(), nn.Dropout(0.25), nn.Linear(1152, 10)), (16, 1, 16, 16)


def transformer():
    layer = nn.TransformerEncoderLayer(48, 4, 96, dropout=0.1, activation="gelu", batch_first=True)
    return nn.Sequential(layer, nn.Flatten(), nn.Linear(16 * 48, 10)), (8, 16, 48)


def lstm():
    return LastStep(), (8, 16, 24)


def trained(make):
    """Weights after a few steps on random rows."""
    torch.manual_seed(1)
    model, shape = make()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.003)
    draw = torch.Generator().manual_seed(2)
    for _ in range(STEPS):
        rows, labels = torch.randn(shape, generator=draw), torch.randint(0, 10, shape[:1], generator=draw)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(rows), labels).backward()
        optimizer.step()
    return model.state_dict()


def arrays():
    """numpy and its BLAS and LAPACK."""
    draw = np.random.default_rng(3)
    a, b = draw.standard_normal((150, 200)), draw.standard_normal((200, 150))
    single = (a.astype(np.float32) @ b.astype(np.float32)).copy()
    return {
        "product": a @ b,
        "single": single,
        "solved": np.linalg.solve(a @ b, np.ones(150)),
        "functions": np.exp(a[:20]) + np.sin(a[:20]) + np.tanh(a[:20]),
        "single_functions": np.exp(single[:20] / 50) + np.log1p(np.abs(single[:20])),
        "sums": a.sum(axis=0),
    }


states = {make.__name__: trained(make) for make in (perceptron, convolutional, transformer, lstm)}
states["numpy"] = arrays()
found = {name: digest_state(state) for name, state in states.items()}
stage.save_json(
    "digests.json",
    {
        name: {"all": one.digest, "tensors": {t.name: t.digest for t in one.tensors}}
        for name, one in found.items()
    },
)
