"""What runs inside Nix's sandbox: the worker that runs stages and makes the model artifact.

User code needs one name only::

    from reprobuild_worker import stage

The source of this package is an input of every model. So it imports nothing of `reprobuild`, and nothing but
the standard library until numpy, torch or safetensors are really needed.
"""

from reprobuild_worker.api import Stage

__all__ = ["Stage", "stage"]

#: The stage that runs now. It reads its configuration when first used.
stage = Stage()
