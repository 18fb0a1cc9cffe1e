"""What do people read about a result?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reprobuild.cli.render import size, table

if TYPE_CHECKING:
    from reprobuild.services.artifact import Artifact


def artifact_text(artifact: Artifact) -> str:
    """Id, metrics against goals, data, how it was made, files; a part a paragraph."""
    spec = artifact.spec
    model, numerics = spec["model"], spec["numerics"]
    metrics = [[name, _value(value), _goal(spec, name)] for name, value in artifact.metrics.items()]
    data = [
        [name, dataset["license"], dataset["retrieved"], dataset["source"]]
        for name, dataset in spec.get("datasets", {}).items()
    ]
    files = [[file["path"], size(file["size_bytes"]), file["sha256"]] for file in artifact.files]
    return "\n".join(
        [
            artifact.artifact_id,
            f"  {model['description']}",
            f"  {artifact.path}",
            "",
            "metrics",
            *(list(table(metrics, indent="  ")) or ["  none"]),
            "",
            "data",
            *(list(table(data, indent="  ")) or ["  none"]),
            "",
            f"made with  seed {numerics['seed']}, level {numerics['level']}",
            f"licence    {model['license']}",
            f"owners     {', '.join(model['owners'])}",
            "",
            "files",
            *table(files, indent="  "),
        ]
    )


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _goal(spec: Mapping[str, Any], name: str) -> str:
    metric = spec.get("metrics", {}).get(name, {})
    goals = [
        f"{word} {metric[key]:g}"
        for key, word in (("minimum", "at least"), ("maximum", "at most"))
        if key in metric
    ]
    return f"goal: {' and '.join(goals)}" if goals else ""
