"""Compare two outputs of one stage: where do they differ, and why?"""

from __future__ import annotations

from pathlib import Path

from reprobuild.domain.comparison import Origin, StageComparison


def compare_trees(
    label: str,
    first: Path,
    second: Path,
    *,
    first_origin: Origin | None = None,
    second_origin: Origin | None = None,
) -> StageComparison:
    """Say where two outputs of one stage part, and what is likely behind it.

    Args:
        label: name of the stage, or model.
        first: the output as it was built, a file or a folder.
        second: the same of the rebuild, such as the `.check` output that Nix keeps.
        first_origin: machine and time of the first build; they tell some causes apart.
    """
    raise NotImplementedError
