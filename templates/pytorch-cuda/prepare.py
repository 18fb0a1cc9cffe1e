"""Split the digits into training and test images."""

import numpy as np

from reprobuild_worker import stage

rows = np.loadtxt(stage.data["digits"], delimiter=",", dtype=np.float32)
images = rows[:, :64].reshape(-1, 1, 8, 8) / 16
labels = rows[:, 64].astype(np.int64)

# Every nth image is for testing: a rule, not chance, so the split stays when rows are added at the end.
is_test = np.arange(len(rows)) % stage.params.test_every == 0

stage.save_arrays("train.safetensors", images=images[~is_test], labels=labels[~is_test])
stage.save_arrays("test.safetensors", images=images[is_test], labels=labels[is_test])
print(f"{np.sum(~is_test)} images for training, {np.sum(is_test)} for testing")
