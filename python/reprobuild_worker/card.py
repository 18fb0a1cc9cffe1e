"""The model card: what is this model, what was it made of, how good is it, how is it rebuilt?

Source: docs/formats/model-card.md, version 1 (the Hugging Face form).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from reprobuild_worker.frontmatter import front_matter

# licences that the Hugging Face hub knows by their lower-case SPDX name; all others become `other`
KNOWN_LICENSES = {
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "isc", "zlib", "bsl-1.0",
    "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0", "mpl-2.0",
    "epl-2.0", "unlicense", "wtfpl",
}  # fmt: skip
LIBRARIES = {"torch": "pytorch", "scikit-learn": "sklearn"}
LEVELS = {
    "exact": "the same bits on machines of one class; `hardware.json` says what was required of it",
    "portable": "the same bits on every x86-64 processor with AVX2",
    "tolerant": "metrics within their tolerances",
}


def model_card(
    spec: Mapping[str, Any],
    measured: Mapping[str, float],
    files: Sequence[str],
    lock: Mapping[str, Any] | None = None,
) -> str:
    """Write the card of one model.

    Args:
        spec: the whole spec, as built.
        measured: metric name -> value.
        files: names at the top of the artifact.
        lock: says which library it is made with, where `python.requirements` do not.
    """
    model = spec["model"]
    sections = [
        f"# {model['name']} {model['version']}\n\n{str(model.get('description') or '').strip()}".strip(),
        _signature(model),
        _metrics(spec, measured),
        _data(spec),
        _rebuild(spec),
        _limits(spec),
        _files(files),
    ]
    return (
        front_matter(_metadata(spec, measured, lock or {}))
        + "\n"
        + "\n\n".join(s for s in sections if s)
        + "\n"
    )


def _metadata(
    spec: Mapping[str, Any], measured: Mapping[str, float], lock: Mapping[str, Any]
) -> dict[str, Any]:
    model, datasets = spec["model"], sorted(spec.get("datasets") or {})
    task = model.get("task")
    return {
        **_license(model.get("license")),
        "library_name": _library(spec, lock),
        "pipeline_tag": task,
        "tags": ["reprobuild", *sorted(set(model.get("tags") or ()) - {"reprobuild"})],
        "datasets": datasets,
        "metrics": sorted(measured),
        "model-index": [
            {
                "name": model["name"],
                "results": [
                    {
                        "task": {"type": task or "other"},
                        "dataset": {
                            "type": datasets[0] if datasets else "none",
                            "name": ", ".join(datasets) or "none",
                        },
                        "metrics": [
                            {"type": name, "value": measured[name], "name": name} for name in sorted(measured)
                        ],
                    }
                ],
            }
        ]
        if measured
        else None,
    }


def _license(license_name: str | None) -> dict[str, str]:
    if not license_name:
        return {}
    if license_name.lower() in KNOWN_LICENSES:
        return {"license": license_name.lower()}
    return {"license": "other", "license_name": license_name.lower()}


def _library(spec: Mapping[str, Any], lock: Mapping[str, Any]) -> str | None:
    """What was asked for by name counts before what came along with it or out of a requirements file."""
    requirements = (spec.get("python") or {}).get("requirements") or []
    asked = [re.split(r"[^A-Za-z0-9._-]", text.strip(), maxsplit=1)[0] for text in requirements]
    locked = [source["name"] for source in lock.get("sources") or [] if source["kind"] == "wheel"]
    for names in (asked, locked):
        normal = {re.sub(r"[-_.]+", "-", name).lower() for name in names}
        if found := next((library for package, library in LIBRARIES.items() if package in normal), None):
            return found
    return None


def _signature(model: Mapping[str, Any]) -> str:
    rows = [
        [
            kind,
            name,
            str(field.get("dtype", "")),
            _shape(field.get("shape")),
            str(field.get("description") or ""),
        ]
        for kind, key in (("input", "inputs"), ("output", "outputs"))
        for name, field in sorted((model.get(key) or {}).items())
    ]
    return _table("Inputs and outputs", ["", "name", "type", "shape", ""], rows)


def _metrics(spec: Mapping[str, Any], measured: Mapping[str, float]) -> str:
    rows = []
    for name, value in sorted(measured.items()):
        metric = spec["metrics"][name]
        goals = [
            f"{word} {metric[key]}"
            for key, word in (("minimum", "≥"), ("maximum", "≤"))
            if metric.get(key) is not None
        ]
        rows.append(
            [name, repr(value), " and ".join(goals), metric["stage"], str(metric.get("description") or "")]
        )
    return _table("Metrics", ["metric", "measured", "goal", "stage", ""], rows)


def _data(spec: Mapping[str, Any]) -> str:
    rows = [
        [name, *(str(data.get(key) or "") for key in ("description", "source", "license", "retrieved"))]
        for name, data in sorted((spec.get("datasets") or {}).items())
    ]
    return _table("Data", ["dataset", "", "source", "licence", "retrieved"], rows)


def _rebuild(spec: Mapping[str, Any]) -> str:
    stages = ", ".join(f"`{name}`" for name in sorted(spec.get("stages") or {}))
    return (
        "## How to rebuild it\n\n"
        "`spec.json` and `reprobuild.lock` name every input by its hash, and `source/` holds the code of the "
        f"stages {stages}. In the project this model comes from:\n\n"
        "```console\nreprobuild nix build\n```\n\n"
        "Compare `manifest.json` of the result with this one: it has a digest for each file and each tensor."
    )


def _limits(spec: Mapping[str, Any]) -> str:
    numerics = spec.get("numerics") or {}
    level = str(numerics.get("level") or "exact")
    accelerator = (spec.get("hardware") or {}).get("accelerator") or "none"
    return (
        "## Limits\n\n"
        f"Numerics level `{level}`: {LEVELS.get(level, 'see the documentation')}. "
        f"Seed {numerics.get('seed', 0)}, {numerics.get('threads', 1)} threads, accelerator {accelerator}. "
        "Metrics are measured on the data above and say nothing about other data."
    )


def _files(files: Sequence[str]) -> str:
    return "## Files\n\n" + "\n".join(f"- `{name}`" for name in files)


def _shape(shape: Any) -> str:
    return f"[{', '.join(str(size) for size in shape)}]" if shape else ""


def _table(title: str, columns: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = [columns, ["---"] * len(columns), *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return f"## {title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in cells)
