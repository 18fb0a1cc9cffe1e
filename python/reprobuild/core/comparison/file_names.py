"""Are files that only one side has the same files under other names?"""

from __future__ import annotations

from collections.abc import Sequence

from reprobuild.core.comparison.text_causes import Context, text_causes
from reprobuild.domain.comparison import Cause, FileDifference


def name_causes(files: Sequence[FileDifference], context: Context) -> list[Cause]:
    """What explains other names, such as a time in them, where it explains the whole of both."""
    found = []
    extra = {difference.path for difference in files if difference.state == "extra"}
    for difference in files:
        if difference.state != "missing":
            continue
        for path in sorted(extra):
            causes = text_causes(difference.path, "file name", difference.path, path, context)
            if causes and causes[0].certainty == "shown":
                found += [
                    cause.model_copy(update={"file": side})
                    for side in (difference.path, path)
                    for cause in causes
                ]
                extra.discard(path)
                break
    return found
