"""How fast can data reach a GPU? Nominal rates by generation and width: nothing is transferred to measure."""

from __future__ import annotations

# Bytes per second, one lane, one direction, after line coding (8b/10b, 128b/130b from 3 on, flits in 6).
_PCIE_LANE: dict[int, int] = {
    1: 250_000_000,
    2: 500_000_000,
    3: 984_615_385,
    4: 1_969_230_769,
    5: 3_938_461_538,
    6: 7_562_500_000,
}
# NVML's number → version, and bytes per second of one link in one direction. Half of what data sheets of P100, V100,
# A100, H100 and B200 state for both directions, divided by the number of links.
_NVLINK = {
    1: ("1.0", 20_000_000_000),
    2: ("2.0", 25_000_000_000),
    3: ("2.2", 25_000_000_000),
    4: ("3.0", 25_000_000_000),
    5: ("3.1", 25_000_000_000),
    6: ("4.0", 25_000_000_000),
    7: ("5.0", 50_000_000_000),
}


def pcie_bytes_per_s(generation: int | None, lanes: int | None) -> int | None:
    """One direction; None for a generation that this release does not know."""
    lane = _PCIE_LANE.get(generation or 0)
    return None if lane is None or lanes is None else lane * lanes


def nvlink_version(number: int) -> str:
    """NVML's number as the version that NVIDIA writes; a new number as it is."""
    return _NVLINK[number][0] if number in _NVLINK else f"number {number}"


def nvlink_bytes_per_s(version: str | None, links: int | None) -> int | None:
    """One direction, all links; None for a version that this release does not know."""
    rates = dict(_NVLINK.values())
    return None if links is None or version not in rates else rates[version] * links
