"""Train the network on the GPU. What is random is drawn on the processor, where it does not depend on the GPU."""

import torch
from model import DigitNet
from torch.nn.functional import cross_entropy

from reprobuild_worker import stage

params = stage.params
gpu = torch.device("cuda")
train = stage.load_weights(stage.inputs["prepare"] / "train.safetensors")
images, labels = train["images"].to(gpu), train["labels"].to(gpu)

model = DigitNet()  # its first weights are drawn here
stage.record_initial_weights(model.state_dict())
model.to(gpu)
optimizer = torch.optim.AdamW(model.parameters(), lr=params.lr, weight_decay=params.weight_decay)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=params.epochs)

for _ in stage.epochs(params.epochs):
    model.train()
    order = torch.randperm(len(images), generator=stage.generator("shuffle"))
    stage.record_sample_order(order)

    loss_sum = torch.zeros((), device=gpu)
    for batch in stage.steps(order.to(gpu).split(params.batch_size)):
        loss = cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(batch)
    schedule.step()

    stage.log(loss=loss_sum.item() / len(images))  # the one wait for the GPU in an epoch
    stage.record_weights(model.state_dict())

stage.save_weights(model.state_dict())
