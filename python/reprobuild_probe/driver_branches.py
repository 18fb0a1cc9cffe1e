"""Which driver branches are there? The first number of a driver's version, such as 580 of 580.65.06."""

from __future__ import annotations

# For Linux, from 450 on, as of November 2026. From NVIDIA's "Supported Drivers and CUDA Toolkit Versions" (data center
# documentation: its matrix and its list of ended branches), the table of drivers in the CUDA toolkit's release notes
# (520, 530, 545, 555 came with toolkits 11.8, 12.1, 12.3, 12.5), and the releases of nvidia-ml-py, whose second number
# is the branch (590, 595, 610, 615). A number that is missing here is one that we found no release of.
KNOWN_BRANCHES = (
    *(450, 455, 460, 465, 470, 495),
    *(510, 515, 520, 525, 530, 535, 545, 550, 555, 560, 565, 570, 575, 580, 590, 595),
    *(610, 615),
)


def branch_of(version: str) -> int:
    """
    >>> branch_of("580.65.06")
    580
    """
    return int(version.partition(".")[0])


def is_known_branch(version: str) -> bool:
    """Whether machines with newer drivers offer this branch: `nvidia-driver-R` of an unlisted R is offered by drivers
    of exactly that branch only."""
    return branch_of(version) in KNOWN_BRANCHES


def branches_up_to(version: str) -> tuple[int, ...]:
    """The driver's own branch and every known older one, the newest first."""
    own = branch_of(version)
    return (own, *sorted((branch for branch in KNOWN_BRANCHES if branch < own), reverse=True))
