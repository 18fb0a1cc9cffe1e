"""Do the lines of a spec about GPUs agree: toolkit, driver, compute capability?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprobuild.core.cuda_table import cuda_table, toolkit_of, version_key
from reprobuild.core.spec_keys import nearest
from reprobuild.domain.spec import Spec
from reprobuild.errors import SpecError

if TYPE_CHECKING:
    from reprobuild.domain.cuda import Toolkit


def check_cuda(spec: Spec, origin: str) -> None:
    """
    Raises:
        SpecError: names the two lines that disagree.
    """
    _driver_alone(spec, origin)
    if spec.cuda is None:
        return
    toolkit = toolkit_of(spec)
    if toolkit is None:
        known = list(cuda_table().toolkits)
        near = nearest(spec.cuda.toolkit, known)
        raise SpecError(
            f"{origin}: cuda.toolkit: no toolkit that this release knows",
            expected=f"one of {', '.join(known)}",
            expected_from="nix/lib/cuda.json",
            actual=spec.cuda.toolkit,
            actual_from="[cuda]",
            hint=f'write toolkit = "{near or known[-1]}" into [cuda]',
        )
    line = f'cuda.toolkit = "{spec.cuda.toolkit}"'
    if spec.cuda.nvcc and not toolkit.nvcc_in_wheels:
        with_nvcc = [version for version, one in cuda_table().toolkits.items() if one.nvcc_in_wheels]
        raise SpecError(
            f"{origin}: cuda.nvcc: the wheels of this toolkit hold no whole nvcc",
            expected=f"a toolkit of {', '.join(with_nvcc)}",
            expected_from="cuda.nvcc = true",
            actual=line,
            actual_from="[cuda]",
            hint=f'write toolkit = "{with_nvcc[0]}" into [cuda], or leave nvcc out',
        )
    _driver_for(spec, toolkit, line, origin)
    _capability_for(spec, toolkit, line, origin)


def _driver_alone(spec: Spec, origin: str) -> None:
    driver = spec.driver
    if driver is not None and driver.minimum is not None:
        _known_branch(driver.minimum, origin)
    if driver is None or driver.branch is None or driver.minimum is None:
        return
    if version_key(driver.branch) < version_key(driver.minimum)[:1]:
        raise SpecError(
            f"{origin}: driver.branch: no driver of this branch is new enough",
            expected=f"branch {driver.minimum.partition('.')[0]} or newer",
            expected_from=f'driver.minimum = "{driver.minimum}"',
            actual=driver.branch,
            actual_from="driver.branch",
            hint="leave one of the two out, or let them agree",
        )


def _known_branch(minimum: str, origin: str) -> None:
    """A number between the branches is offered by no machine: features are compared as words."""
    from reprobuild_probe.driver_branches import KNOWN_BRANCHES, branch_of

    asked = branch_of(minimum)
    if asked in KNOWN_BRANCHES or asked > KNOWN_BRANCHES[-1]:
        return
    near = next(branch for branch in KNOWN_BRANCHES if branch > asked)
    raise SpecError(
        f"{origin}: driver.minimum: there is no branch {asked} of drivers",
        expected=f"one of {', '.join(map(str, KNOWN_BRANCHES))}, or a newer one",
        expected_from="docs/formats/system-features.md",
        actual=minimum,
        actual_from="driver.minimum",
        hint=f'write minimum = "{near}" into [driver], the next branch after it',
    )


def _driver_for(spec: Spec, toolkit: Toolkit, line: str, origin: str) -> None:
    least = toolkit.minimum_driver
    given = {"minimum": spec.driver.minimum, "branch": spec.driver.branch} if spec.driver else {}
    for key, value in given.items():
        if value is not None and version_key(value) < version_key(least):
            raise SpecError(
                f"{origin}: driver.{key}: too old for the toolkit",
                expected=f"{least} or newer",
                expected_from=line,
                actual=value,
                actual_from=f"driver.{key}",
                hint=f'write {key} = "{least}" into [driver], or take an older toolkit',
            )


def _capability_for(spec: Spec, toolkit: Toolkit, line: str, origin: str) -> None:
    asked, known = spec.hardware.compute_capability, toolkit.compute_capabilities
    if asked is None or asked in known:
        return
    if version_key(asked) < version_key(known[0]):
        what = "too old for the toolkit"
    elif version_key(asked) > version_key(known[-1]):
        what = "too new for the toolkit"
    else:
        what = "not known to the toolkit"
    others = [v for v, one in cuda_table().toolkits.items() if asked in one.compute_capabilities]
    raise SpecError(
        f"{origin}: hardware.compute_capability: {what}",
        expected=f"one of {', '.join(known)}",
        expected_from=line,
        actual=asked,
        actual_from="hardware.compute_capability",
        hint=f"{asked} is known to toolkit {', '.join(others)}" if others else "no toolkit knows it",
    )
