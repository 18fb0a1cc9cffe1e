"""What explains that tensors, or the courses of two trainings, are not the same?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reprobuild.core.comparison.machine_facts import machine_facts
from reprobuild.core.comparison.tensors import EPSILON
from reprobuild.domain.comparison import (
    Cause,
    CauseClass,
    Origin,
    TensorDifference,
    TrajectoryDifference,
)

# Rounding grows while a training goes on: this many times the rounding of one operation still counts as that.
ROUNDING_STEPS = 4096
FEW_ULP = 1024
SMALL_RELATIVE = 1e-4  # of a logged value, in the epoch in which two trainings part


def numeric_causes(
    tensors: Sequence[TensorDifference],
    trajectory: TrajectoryDifference | None,
    first_origin: Origin | None,
    second_origin: Origin | None,
) -> list[Cause]:
    """Explanations, the most likely first. Tensors that follow from a known trajectory are not explained again."""
    changed = [tensor for tensor in tensors if tensor.state == "values"]
    garbage = [cause for tensor in changed for cause in _garbage(tensor)]
    permuted = [_permuted(tensor) for tensor in changed if tensor.permuted]
    if trajectory:
        course = _of_trajectory(trajectory, changed, first_origin, second_origin)
        if trajectory.parted != "initial weights":
            # the training began well: garbage may be a training that ran away
            garbage = [cause.model_copy(update={"certainty": "possible"}) for cause in garbage]
        return [*garbage, *course, *permuted]
    explained = {cause.place for cause in (*garbage, *permuted)}
    rest = [tensor for tensor in changed if f"tensor {tensor.name}" not in explained]
    causes = [*garbage, *permuted]
    if small := [tensor for tensor in rest if _by_rounding(tensor)]:
        causes += _rounding(
            small[0].file, f"tensor {small[0].name}", _size(small), first_origin, second_origin
        )
    if large := [tensor for tensor in rest if not _by_rounding(tensor)]:
        evidence = f"values differ by more than rounding, with no other sign: {_size(large)}"
        causes.append(_random(large[0].file, f"tensor {large[0].name}", evidence, "likely"))
    return causes


def _of_trajectory(
    one: TrajectoryDifference,
    tensors: Sequence[TensorDifference],
    first_origin: Origin | None,
    second_origin: Origin | None,
) -> list[Cause]:
    epoch = f"epoch {one.epoch}" if one.epoch is not None else "the end"
    if one.parted == "seed":
        evidence = f"the seeds are {one.first} and {one.second}: these are not builds of one stage"
        return [Cause(cause="unknown", file=one.file, place="seed", evidence=evidence, certainty="shown")]
    if one.parted == "initial weights":
        evidence = (
            "the weights differ before the first epoch, and the seed is equal: initialisation draws elsewhere"
        )
        return [_random(one.file, "initial weights", evidence, "likely")]
    if one.parted == "sample order":
        evidence = (
            f"samples came in another order in {epoch}, before the weights part: a shuffle without the seed"
        )
        order = Cause(
            cause="set or folder order",
            file=one.file,
            place=f"{epoch}, sample order",
            evidence=f"samples came in another order from {epoch} on: perhaps that of a set or a folder's listing",
            certainty="possible",
        )
        return [_random(one.file, f"{epoch}, sample order", evidence, "likely"), order]
    if one.parted == "length":
        evidence = f"the trainings ran for {one.first} and {one.second}: something decides when to stop"
        return [
            Cause(cause="unknown", file=one.file, place="epochs", evidence=evidence, certainty="possible")
        ]
    place = f"{epoch}, {one.name or 'weights'}"
    equal = (
        "sample order is equal" if one.sample_order_equal else "sample order was not recorded or parts later"
    )
    size = _size(tensors) if tensors else "no tensor is there to compare"
    begun = f"the trainings part in {epoch}; {equal}; {size}"
    relative = one.relative_value_difference
    small = relative <= SMALL_RELATIVE if relative is not None else any(map(_by_rounding, tensors))
    if relative is not None:
        begun += f"; logged values of that epoch differ by {relative:.1e}, relatively"
    if small:
        return _rounding(one.file, place, begun, first_origin, second_origin)
    return [
        _random(one.file, place, f"{begun}: more than rounding, such as dropout without the seed", "likely"),
        *(
            cause.model_copy(update={"certainty": "possible"})
            for cause in _rounding(one.file, place, begun, first_origin, second_origin)
        ),
    ]


def _rounding(
    file: str, place: str, evidence: str, first_origin: Origin | None, second_origin: Origin | None
) -> list[Cause]:
    """Sums in another order: on other processors, in GPU kernels, by other numbers of threads."""
    first, second = machine_facts(first_origin), machine_facts(second_origin)
    found: list[tuple[CauseClass, str]] = []
    if "gpu" in first or "gpu" in second:
        found.append(("gpu kernels", _gpu_evidence(first, second)))
    processors = [
        word.format(first[key], second[key])
        for key, word in (("cpu_model", "on {} and {}"), ("cpu_capability", "with kernels for {} and {}"))
        if first.get(key) and second.get(key) and first[key] != second[key]
    ]
    if processors:
        found.append(("cpu kernels", ", ".join(processors)))
    threads = (first.get("threads"), second.get("threads"))
    if all(threads) and threads[0] != threads[1]:
        found.insert(0, ("reduction order", f"with {threads[0]} and {threads[1]} threads"))
    elif not found:
        found.append(("reduction order", "as by another number of threads or order of sums"))
    return [
        Cause(cause=cause, file=file, place=place, evidence=f"{evidence}; {why}", certainty="likely")
        for cause, why in found
    ]


# What of a GPU decides which kernels run and which random numbers it draws, in words.
_GPU_FACTS = (
    ("gpu", "GPUs"),
    ("driver", "drivers"),
    ("driver_libraries", "driver libraries"),
    ("multiprocessors", "SM counts"),
    ("threads_per_multiprocessor", "threads per SM"),
    ("mig_enabled", "MIG modes"),
)


def _gpu_evidence(first: Mapping[str, str], second: Mapping[str, str]) -> str:
    """Each fact that is another one, with both values; of a side that knows none, that."""
    differing = [
        f"{word} {first.get(key) or 'unknown'} and {second.get(key) or 'unknown'}"
        for key, word in _GPU_FACTS
        if first.get(key) != second.get(key) and (key == "gpu" or (first.get(key) and second.get(key)))
    ]
    if differing:
        return "on " + ", ".join(differing)
    driver = f", driver {first['driver']}" if first.get("driver") else ""
    return f"both on {first['gpu']}{driver}"


def _garbage(tensor: TensorDifference) -> list[Cause]:
    odd = tensor.first_garbage + tensor.second_garbage
    if not odd:
        return []
    count = f"{tensor.first_garbage} and {tensor.second_garbage} of {tensor.differing_elements}"
    evidence = (
        f"{count} differing elements are nan, infinite, huge or subnormal, as memory is that nobody wrote; "
        f"first: {tensor.first_value} and {tensor.second_value}"
    )
    return [
        Cause(
            cause="uninitialised memory",
            file=tensor.file,
            place=f"tensor {tensor.name}",
            evidence=evidence,
            certainty="likely",
        )
    ]


def _permuted(tensor: TensorDifference) -> Cause:
    return Cause(
        cause="set or folder order",
        file=tensor.file,
        place=f"tensor {tensor.name}",
        evidence=f"the same elements in another order, {tensor.differing_elements} of {tensor.elements} moved: "
        "order of a set or a folder's listing, or a shuffle without the seed",
        certainty="likely",
    )


def _by_rounding(tensor: TensorDifference) -> bool:
    epsilon = EPSILON.get(tensor.first_dtype or "")
    if epsilon is None or tensor.max_ulp is None or not tensor.max_absolute:
        return False
    return tensor.max_ulp <= FEW_ULP or (tensor.relative_to_largest or 1.0) <= ROUNDING_STEPS * epsilon


def _size(tensors: Sequence[TensorDifference]) -> str:
    """The largest differences among these, in words."""
    count = "1 tensor differs" if len(tensors) == 1 else f"{len(tensors)} tensors differ"
    ulp = max((tensor.max_ulp for tensor in tensors if tensor.max_ulp is not None), default=None)
    absolute = max((tensor.max_absolute or 0 for tensor in tensors), default=0)
    return f"{count}, by {absolute:.1e} at most" + (f" ({ulp} ulp)" if ulp is not None else "")


def _random(file: str, place: str, evidence: str, certainty: str) -> Cause:
    return Cause.model_validate(
        {
            "cause": "unseeded random source",
            "file": file,
            "place": place,
            "evidence": evidence,
            "certainty": certainty,
        }
    )
