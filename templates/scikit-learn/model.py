"""A scaled logistic regression, to and from plain arrays: what is fitted is numbers, so no pickle."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def new(inverse_penalty: float = 1.0) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, solver="newton-cholesky"))


def to_arrays(model: Pipeline) -> dict[str, np.ndarray]:
    scaler, regression = model[0], model[1]
    return {
        "scaler.mean": scaler.mean_,
        "scaler.scale": scaler.scale_,
        "regression.coef": regression.coef_,
        "regression.intercept": regression.intercept_,
        "regression.classes": regression.classes_,
    }


def from_arrays(arrays: dict[str, np.ndarray]) -> Pipeline:
    model = new()
    scaler, regression = model[0], model[1]
    scaler.mean_, scaler.scale_ = arrays["scaler.mean"], arrays["scaler.scale"]
    regression.coef_, regression.intercept_ = arrays["regression.coef"], arrays["regression.intercept"]
    regression.classes_ = arrays["regression.classes"]
    return model
