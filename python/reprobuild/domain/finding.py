"""What a check of this host found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """One checked thing: `mend` is the command or step that puts it right."""

    name: str
    state: State
    found: str
    mend: str | None = None
