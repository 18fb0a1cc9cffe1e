"""Split the samples into training and test samples."""

import numpy as np

from reprobuild_worker import stage

rows = np.loadtxt(stage.data["breast-cancer"], delimiter=",", skiprows=1)
features, malignant = rows[:, :30], rows[:, 30] == 0

# Every nth sample is for testing: a rule, not chance, so the split stays when rows are added at the end.
is_test = np.arange(len(rows)) % stage.params.test_every == 0

stage.save_arrays("train.safetensors", features=features[~is_test], malignant=malignant[~is_test])
stage.save_arrays("test.safetensors", features=features[is_test], malignant=malignant[is_test])
print(f"{np.sum(~is_test)} samples for training, {np.sum(is_test)} for testing")
