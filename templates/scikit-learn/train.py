"""Fit the logistic regression."""

import model
from sklearn.metrics import log_loss

from reprobuild_worker import stage

train = stage.load_arrays(stage.inputs["prepare"] / "train.safetensors")

regression = model.new(stage.params.inverse_penalty)
regression.fit(train["features"], train["malignant"])

stage.log(loss=log_loss(train["malignant"], regression.predict_proba(train["features"])))
stage.save_weights(model.to_arrays(regression))
