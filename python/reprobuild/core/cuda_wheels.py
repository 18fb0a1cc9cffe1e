"""Which CUDA are wheels built for, and is it the one that the spec asks for?

Before resolving, the toolkit becomes constraints on NVIDIA's wheels, so that it decides the build of torch. After it,
what came out is checked: docs/decisions/cuda.md says how strictly, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from reprobuild.core.cuda_table import cuda_table, runs_on
from reprobuild.core.wheel_pin import ResolvedWheel
from reprobuild.domain.spec import Spec
from reprobuild.errors import ResolveError

TORCH = "torch"
# The wheels that carry libcudart: since CUDA 13 without the major version in their name.
_RUNTIME = re.compile(r"nvidia-cuda-runtime(-cu\d+)?")
_LOCAL_CUDA = re.compile(r"\+cu(\d+)(\d)(?!\d)")
_LOCAL_OTHER = re.compile(r"\+(cpu|rocm|xpu)")


def constraints(spec: Spec) -> tuple[str, ...]:
    """Requirements that hold if a package is chosen at all; none where the spec names no toolkit."""
    if spec.cuda is None:
        return ()
    toolkit = spec.cuda.toolkit
    major = int(toolkit.partition(".")[0])
    runtimes = {11: "nvidia-cuda-runtime-cu11", 12: "nvidia-cuda-runtime-cu12", 13: "nvidia-cuda-runtime"}
    own = runtimes.pop(major, runtimes[13])
    return (
        f"cuda-toolkit=={toolkit}.*",
        f"{own}=={toolkit}.*",
        *(f"{other}<0" for other in runtimes.values() if other != own),
    )


def nvcc_requirements(spec: Spec) -> tuple[str, ...]:
    """The wheels that hold nvcc with its headers, of the spec's toolkit; none where it asks for none."""
    if spec.cuda is None or not spec.cuda.nvcc:
        return ()
    return (f"cuda-toolkit[cccl,crt,cudart,nvcc,nvvm]=={spec.cuda.toolkit}.*",)


def without_cuda(spec: Spec, wheels: Iterable[ResolvedWheel]) -> ResolvedWheel | None:
    """torch as it was resolved, if the spec asks for a GPU and this build cannot use NVIDIA's."""
    torch = {wheel.name: wheel for wheel in wheels}.get(TORCH)
    if spec.hardware.accelerator != "nvidia" or torch is None:
        return None
    by_name = {wheel.name: wheel for wheel in wheels}
    return torch if _toolkit_of(torch, by_name) is None else None


def check_wheels(spec: Spec, wheels: Sequence[ResolvedWheel]) -> None:
    """
    Raises:
        ResolveError: torch has no CUDA although an accelerator is asked for, or wheels are of another toolkit, or
            torch has no machine code for the compute capability; names both sides.
    """
    if (torch := without_cuda(spec, wheels)) is not None:
        raise ResolveError(
            f"torch {torch.version}: this build has no CUDA, and would train on the processor",
            expected="a build of torch for CUDA",
            expected_from=f'hardware.accelerator = "{spec.hardware.accelerator}"',
            actual=torch.file_name,
            actual_from=f"python.requirements, index {torch.index}",
            hint=_hint(spec),
        )
    by_name = {wheel.name: wheel for wheel in wheels}
    if spec.cuda is not None:
        for wheel in sorted(wheels, key=lambda wheel: wheel.name != TORCH):  # what people ask for comes first
            found = _toolkit_of(wheel, by_name) if wheel.name == TORCH else _runtime_toolkit(wheel)
            if found is not None and found != spec.cuda.toolkit:
                raise ResolveError(
                    f"{wheel.name} {wheel.version} is for another CUDA toolkit",
                    expected=f'cuda.toolkit = "{spec.cuda.toolkit}"',
                    expected_from="[cuda]",
                    actual=f"CUDA {found}",
                    actual_from=f"python.requirements: {wheel.name} {wheel.version}",
                    hint=f'write toolkit = "{found}" into [cuda], or: {_hint(spec)}',
                )
    _check_capability(spec, by_name.get(TORCH))


def _check_capability(spec: Spec, torch: ResolvedWheel | None) -> None:
    asked = spec.hardware.compute_capability
    if asked is None or torch is None:
        return
    build = cuda_table().torch.get(".".join(torch.version.split(".")[:2]))
    # the table knows the builds of the default index: others have a toolkit in their version
    if build is None or _LOCAL_CUDA.search(torch.version) or runs_on(build.compute_capabilities, asked):
        return
    raise ResolveError(
        f"torch {torch.version} has no machine code for compute capability {asked}",
        expected=asked,
        expected_from="hardware.compute_capability",
        actual=", ".join(build.compute_capabilities),
        actual_from=f"python.requirements: torch {torch.version}, by nix/lib/cuda.json",
        hint="take a release of torch that has it, or another GPU",
    )


def _toolkit_of(torch: ResolvedWheel, wheels: Mapping[str, ResolvedWheel]) -> str | None:
    """`13.2`, from the version or from the CUDA runtime that it brings along; None: no CUDA."""
    if local := _LOCAL_CUDA.search(torch.version):
        return f"{local[1]}.{local[2]}"
    if _LOCAL_OTHER.search(torch.version):
        return None
    runtimes = {_runtime_toolkit(wheels[name]) for name in _closure(torch.name, wheels)} - {None}
    return min(runtimes, key=str, default=None)


def _runtime_toolkit(wheel: ResolvedWheel) -> str | None:
    return ".".join(wheel.version.split(".")[:2]) if _RUNTIME.fullmatch(wheel.name) else None


def _closure(name: str, wheels: Mapping[str, ResolvedWheel]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found and one in wheels:
            found.add(one)
            waiting += wheels[one].depends
    return found


def _hint(spec: Spec) -> str:
    """Which torch to ask for."""
    builds = cuda_table().torch
    toolkit = spec.cuda.toolkit if spec.cuda else None
    fitting = [version for version, build in builds.items() if toolkit in (None, build.toolkit)]
    if fitting:
        return f'require "torch=={fitting[-1]}.*", which is built for CUDA {builds[fitting[-1]].toolkit}'
    return f"name an index that has torch for CUDA {toolkit}: docs/how-to/gpu.md"
