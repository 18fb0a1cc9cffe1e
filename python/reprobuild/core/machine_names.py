"""Which machine does a name mean?"""

from __future__ import annotations

from collections.abc import Sequence

from reprobuild.core.spec_keys import nearest
from reprobuild.domain.machine import Machine
from reprobuild.errors import UsageError


def named_machine(name: str, machines: Sequence[Machine]) -> Machine | None:
    """The machine of this name or address; None for an address that none of them has.

    Raises:
        UsageError: a name that none has, or more than one; names the nearest one.
    """
    found = [machine for machine in machines if name in (machine.name, machine.uri)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"builder {name}: more than one has this name",
            expected=f"one of {', '.join(machine.uri for machine in found)}",
            actual=name,
            hint="give the address",
        )
    if "://" in name:
        return None
    known = sorted({machine.name for machine in machines})
    near = nearest(name, known)
    raise UsageError(
        f"builder {name}: there is no such builder",
        expected=f"one of {', '.join(known)}"
        if known
        else "a name out of `reprobuild builder list`: it is empty",
        actual=name,
        hint=f"did you mean `{near}`?" if near else "name it with `reprobuild builder add ADDRESS`",
    )
