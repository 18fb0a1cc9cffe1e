"""Measure the trained network on images it has not seen; on the processor."""

import torch
from model import DigitNet

from reprobuild_worker import stage

test = stage.load_weights(stage.inputs["prepare"] / "test.safetensors")
images, labels = test["images"], test["labels"]

model = DigitNet()
model.load_state_dict(stage.load_weights(stage.inputs["train"] / "weights.safetensors"))
model.eval()
with torch.inference_mode():
    scores = model(images)
correct = scores.argmax(dim=1) == labels

accuracy = correct.double().mean().item()
stage.save_metrics(accuracy=accuracy)
stage.save_golden(inputs={"image": images[:16]}, outputs={"scores": scores[:16]})
stage.log(accuracy=accuracy)
