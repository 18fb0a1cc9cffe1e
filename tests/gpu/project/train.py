import json
from array import array
from pathlib import Path

from driver import Gpu
from network import Perceptron

from reprobuild_worker import stage


def safetensors(tensors: dict[str, tuple[list[int], array]]) -> bytes:
    """By hand: this project has no numpy."""
    header, body = {}, b""
    for name, (shape, values) in sorted(tensors.items()):
        data = values.tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


p = stage.params
model = Perceptron(
    *(Gpu.with_kernels(Path(__file__).parent), p.rows, p.inputs, p.hidden, stage.seed), atomic=p.atomic
)
losses = []
for loss in model.train(p.steps, p.lr):
    losses.append(loss)
    if len(losses) % 50 == 0:
        stage.log(step=len(losses), loss=loss)
(stage.out / "weights.safetensors").write_bytes(safetensors(model.weights()))
stage.save_json("losses.json", losses)
