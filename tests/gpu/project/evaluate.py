import json
from pathlib import Path

from reprobuild_worker import stage

losses = json.loads((stage.inputs["train"] / "losses.json").read_text())
shown = [
    *Path("/dev").glob("nvidia*"),
    *Path("/run").glob("opengl-driver"),
]  # this stage does not ask for a GPU
stage.save_metrics(loss_ratio=losses[-1] / losses[0], gpu_files_shown=len(shown))
