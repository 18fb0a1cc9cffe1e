"""Measure the fitted model on samples it has not seen."""

import model
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

from reprobuild_worker import stage

test = stage.load_arrays(stage.inputs["prepare"] / "test.safetensors")
regression = model.from_arrays(stage.load_arrays(stage.inputs["train"] / "weights.safetensors"))

predicted = regression.predict(test["features"])
scores = regression.decision_function(test["features"])
stage.save_metrics(
    accuracy=accuracy_score(test["malignant"], predicted),
    recall=recall_score(test["malignant"], predicted),
    roc_auc=roc_auc_score(test["malignant"], scores),
)
