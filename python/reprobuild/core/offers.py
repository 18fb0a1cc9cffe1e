"""What is required against what each machine offers, field by field, and which machine comes nearest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from reprobuild.core.gpu_features import is_hardware
from reprobuild.domain.machine import AVX2_SYSTEM, Machine
from reprobuild.errors import NoBuilderError

_FITS = "✓"
_LACKS = "✗"


def no_builder(
    label: str,
    system: str,
    features: Sequence[str],
    machines: Sequence[Machine],
    *,
    who: str = "no known builder",
) -> NoBuilderError:
    """The error for what no machine takes; its table has a row for each machine and a column for each field.

    Args:
        who: the machines, as "… can run it" says of them.
    """
    fields = ["system", *_grouped(features)]
    if any(machine.mandatory - set(features) for machine in machines):
        fields.append("takes only")
    if any(machine.max_jobs == 0 for machine in machines):
        fields.append("jobs")
    required = {"builder": "required", "system": system} | {
        field: ", ".join(_said(one, field) for one in ones) for field, ones in _grouped(features).items()
    }
    offers = [_offer(machine, system, features, fields) for machine in machines]
    rows = [{field: row.get(field, "") for field in ["builder", *fields]} for row in [required, *offers]]
    nearest = min(machines, key=lambda one: len(_lacks(one, system, features)), default=None)
    details = list(_table([list(rows[0]), *(list(row.values()) for row in rows)]))
    if nearest is not None:
        details.append(f"nearest fit: {nearest.name}, but {', '.join(_lacks(nearest, system, features))}")
    no_avx2 = system == AVX2_SYSTEM and not any(system in machine.systems for machine in machines)
    why = "numerics.level portable needs a processor with AVX2: " if no_avx2 else ""
    return NoBuilderError(
        f"stage {label}: {why}{who} can run it, so nothing was fetched or built",
        expected=" ".join([system, *features]),
        expected_from=f"reprobuild.toml, stages.{label}, [hardware] and [driver]",
        details=tuple(details),
        offers=tuple(offers),
        hint="name a machine that fits with `reprobuild builder add ADDRESS`"
        + (" (if it is this one: `reprobuild builder setup`)" if any(map(is_hardware, features)) else "")
        + ", or ask for less",
    )


def in_short(features: Collection[str]) -> str:
    """Features in a line: of the driver branches, of which a machine offers every one up to its own, the newest."""
    grouped = _grouped(sorted(features))
    if branches := grouped.get("driver"):
        newest = _shortest("driver", [_said(one, "driver") for one in branches])
        grouped["driver"] = [f"nvidia-driver-{newest}" + (" and older" if len(branches) > 1 else "")]
    return ", ".join(one for ones in grouped.values() for one in ones)


def _offer(machine: Machine, system: str, features: Sequence[str], fields: Collection[str]) -> dict[str, str]:
    """One machine's row: what fits, and what it has instead of what does not."""
    row = {"builder": machine.name, "system": _cell(system in machine.systems, ", ".join(machine.systems))}
    offered = _grouped(sorted(machine.features))
    for field, asked in _grouped(features).items():
        has = [_said(one, field) for one in offered.get(field, ())]
        missing = [_said(one, field) for one in asked if one not in machine.features]
        row[field] = _cell(
            not missing,
            f"no {', '.join(missing)}" if field == "other features" else _shortest(field, has),
        )
    if "takes only" in fields:
        unasked = sorted(machine.mandatory - set(features))
        row["takes only"] = _cell(not unasked, f"what asks for {', '.join(unasked)}")
    if "jobs" in fields:
        row["jobs"] = _cell(machine.max_jobs > 0, "0")
    return row


def _lacks(machine: Machine, system: str, features: Sequence[str]) -> list[str]:
    """Why a machine is not given this, one reason each."""
    reasons = [] if system in machine.systems else [f"is not {system}"]
    reasons += [f"lacks {feature}" for feature in features if feature not in machine.features]
    reasons += [
        f"takes only what asks for {feature}" for feature in sorted(machine.mandatory - set(features))
    ]
    return reasons + ([] if machine.max_jobs > 0 else ["has 0 jobs"])


def _grouped(features: Sequence[str]) -> dict[str, list[str]]:
    """Feature words by the field that they speak of, as docs/formats/system-features.md names them."""
    fields: dict[str, list[str]] = {}
    for feature in features:
        fields.setdefault(_field(feature), []).append(feature)
    return fields


# The longer prefix first.
_PREFIXES: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("driver branch", "nvidia-driver-branch-", str),
    ("driver", "nvidia-driver-", str),
    ("compute capability", "cuda-sm-", lambda value: f"{value[:-1]}.{value[-1:]}"),
    ("GPU", "gpu-", str),
)


def _field(feature: str) -> str:
    if feature == "cuda":
        return "CUDA"
    return next((field for field, prefix, _ in _PREFIXES if feature.startswith(prefix)), "other features")


def _said(feature: str, field: str) -> str:
    """The value that a feature word gives its field, such as 9.0 for cuda-sm-90."""
    if field == "CUDA":
        return "yes"
    return next(
        (say(feature.removeprefix(prefix)) for name, prefix, say in _PREFIXES if name == field), feature
    )


def _shortest(field: str, values: Sequence[str]) -> str:
    """A machine offers every driver branch up to its own: the newest says it all."""
    if field == "driver" and values:
        return max(values, key=lambda value: (len(value), value))
    return ", ".join(values) or "none"


def _cell(fits: bool, otherwise: str) -> str:
    return _FITS if fits else f"{_LACKS} {otherwise}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
