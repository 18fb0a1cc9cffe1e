"""Measures this machine as a builder: GPUs, driver, processor, memory; and says which system features it offers.

Runs where nothing but Python 3.8 is: on a builder over ssh, and inside Nix's sandbox before a stage with `gpu = true`.
So it imports nothing of `reprobuild`, and beside the standard library only `pynvml`, where that is there. It needs
no root, no Nix and no network, and changes nothing.

Format page: docs/formats/hardware-profile.md.
"""

from reprobuild_probe.profile import SCHEMA, measure

__all__ = ["SCHEMA", "measure"]
