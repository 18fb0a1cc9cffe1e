"""Train the network on the prepared images."""

import torch
from model import DigitNet
from torch.nn.functional import cross_entropy

from reprobuild_worker import stage

params = stage.params
train = stage.load_weights(stage.inputs["prepare"] / "train.safetensors")
images, labels = train["images"], train["labels"]

model = DigitNet(params.dropout)
optimizer = torch.optim.AdamW(model.parameters(), lr=params.lr, weight_decay=params.weight_decay)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=params.epochs)
stage.record_initial_weights(model.state_dict())

for _ in stage.epochs(params.epochs):
    model.train()
    order = torch.randperm(len(images), generator=stage.generator("shuffle"))
    stage.record_sample_order(order)

    loss_sum = 0.0
    for batch in stage.steps(order.split(params.batch_size)):
        loss = cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(batch)
    schedule.step()

    stage.log(loss=loss_sum / len(images))
    stage.record_weights(model.state_dict())

stage.save_weights(model.state_dict())
