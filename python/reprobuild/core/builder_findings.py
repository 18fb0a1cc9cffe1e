"""What a builder claims against what was measured there, as findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reprobuild.core.gpu_features import is_hardware
from reprobuild.core.offers import in_short
from reprobuild.domain.builder_facts import BuilderFacts
from reprobuild.domain.finding import Finding
from reprobuild.domain.machine import Machine

OLDEST_NIX = (2, 8)
NEEDED_FREE_BYTES = 5_000_000_000  # a torch environment takes about 2 GB
CLOCK_TOLERANCE_S = 5.0
STORE_DIR = "/nix/store"


def builder_findings(
    machine: Machine, facts: BuilderFacts, measured: Collection[str] | None
) -> Iterator[Finding]:
    """Everything that can be said without a build there; of a Nix that we do not support, and its store, no more.

    Args:
        measured: features that the hardware probe found; None: it could not run.
    """
    usable = (_nix(facts), _store(facts))
    yield from usable
    if any(finding.state == "failed" for finding in usable):
        return
    yield _systems(machine, facts)
    yield _offered(machine, facts)
    yield _hardware(machine, measured)
    if "cuda" in machine.features:
        yield _hook(facts)
    yield _trust(facts)
    yield _disk(facts)
    yield _clock(facts)


def is_new_enough(version: str) -> bool:
    """Whether we can build with this Nix."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) >= OLDEST_NIX


def _nix(facts: BuilderFacts) -> Finding:
    version = facts.nix_version or ""
    if not is_new_enough(version):
        return Finding("nix", "failed", f"version {version}", "install Nix 2.8 or newer there")
    return Finding("nix", "ok", f"version {version}")


def _store(facts: BuilderFacts) -> Finding:
    if facts.store_dir == STORE_DIR:
        return Finding("store", "ok", STORE_DIR)
    return Finding(
        "store",
        "failed",
        f"in {facts.store_dir}, here in {STORE_DIR}: no path means the same on both",
        f"take a builder with its store in {STORE_DIR}",
    )


def _systems(machine: Machine, facts: BuilderFacts) -> Finding:
    runs = {*facts.words("system"), *facts.words("extra-platforms")}
    wrong = [system for system in machine.systems if system not in runs]
    if wrong:
        return Finding(
            "systems",
            "failed",
            f"claimed {', '.join(wrong)}; its Nix builds {', '.join(sorted(runs))}",
            _again(machine),
        )
    return Finding("systems", "ok", ", ".join(machine.systems))


def _offered(machine: Machine, facts: BuilderFacts) -> Finding:
    """Its own Nix refuses what its own configuration does not offer, whatever the machines file says."""
    offered = set(facts.words("system-features"))
    if wrong := sorted(machine.features - offered):
        others = [feature for feature in wrong if not is_hardware(feature)]
        by_hand = [f"`extra-system-features = {' '.join(others)}` in its nix.conf"] if others else []
        by_us = ["`reprobuild builder setup`"] if others != wrong else []
        return Finding(
            "system features",
            "failed",
            f"claimed, and not in its nix.conf: {in_short(wrong)}",
            f"there: {', and '.join(by_us + by_hand)}",
        )
    return Finding(
        "system features", "ok", f"its nix.conf offers all {len(machine.features)} that are claimed"
    )


def _hardware(machine: Machine, measured: Collection[str] | None) -> Finding:
    claimed = {feature for feature in machine.features if is_hardware(feature)}
    if measured is None:
        return Finding(
            "hardware",
            "warning" if claimed else "ok",
            "not measured: no python3 there",
            "install python3 there, and check again",
        )
    if wrong := sorted(claimed - set(measured)):
        return Finding(
            "hardware",
            "failed",
            f"claimed, and not measured there: {in_short(wrong)}",
            _again(machine),
        )
    if more := sorted(set(measured) - claimed):
        return Finding(
            "hardware", "warning", f"measured there, and not claimed: {in_short(more)}", _again(machine)
        )
    return Finding("hardware", "ok", "as claimed" if claimed else "no GPU, and none is claimed")


def _hook(facts: BuilderFacts) -> Finding:
    hook = facts.settings.get("pre-build-hook", "")
    if hook and facts.hook_runs:
        return Finding("gpu hook", "ok", hook)
    return Finding(
        "gpu hook",
        "failed",
        f"{hook} cannot be run" if hook else "none: builds there do not see the GPU",
        "there: `reprobuild builder setup`",
    )


def _trust(facts: BuilderFacts) -> Finding:
    if facts.trusts_us:
        return Finding("trust", "ok", f"user {facts.user} may add paths")
    return Finding(
        "trust",
        "failed",
        f"user {facts.user} is not trusted: unsigned paths, such as outputs of a stage built here, are refused",
        f"there: `trusted-users = root {facts.user}` in its nix.conf, then restart nix-daemon",
    )


def _disk(facts: BuilderFacts) -> Finding:
    text = f"{facts.free_bytes / 1e9:.1f} GB free at {facts.store_dir}"
    if facts.free_bytes < NEEDED_FREE_BYTES:
        return Finding("disk", "warning", text, "there: `nix-collect-garbage` frees some")
    return Finding("disk", "ok", text)


def _clock(facts: BuilderFacts) -> Finding:
    if abs(facts.ahead_s) > CLOCK_TOLERANCE_S:
        side = "ahead of" if facts.ahead_s > 0 else "behind"
        return Finding(
            "clock",
            "warning",
            f"{abs(facts.ahead_s):.0f} s {side} this machine's: times in records will be wrong",
            "run an NTP client on both",
        )
    return Finding("clock", "ok", "as this machine's")


def _again(machine: Machine) -> str:
    return f"`reprobuild builder add {machine.uri}` measures it again and corrects the line"
