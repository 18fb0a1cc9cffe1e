"""Seeds, thread counts and deterministic kernels, set before user code can ask for numbers.

numpy and torch are set up at the moment user code imports them: a stage without torch does not wait for it.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.machinery
import random
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from types import ModuleType
from typing import Any

from reprobuild_worker.config import Numerics
from reprobuild_worker.errors import ConfigError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def apply(numerics: Numerics, environment: MutableMapping[str, str]) -> None:
    """Seed Python now, and numpy and torch as soon as they are imported.

    Raises:
        ConfigError: the environment was started with other thread counts, or without a fixed hash seed.
    """
    for name in THREAD_VARIABLES:
        found = environment.setdefault(name, str(numerics.threads))
        if found != str(numerics.threads):
            raise ConfigError(
                f"{name} is {found} in the environment, but numerics.threads is {numerics.threads}"
            )
    if numerics.deterministic:
        environment.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    random.seed(numerics.seed)
    after_import(
        {
            "numpy.random": lambda module: module.seed(numerics.seed % 2**32),
            "torch": lambda module: set_up_torch(module, numerics),
        }
    )


def check_hash_seed(environment: Mapping[str, str]) -> None:
    """Refuse a random hash seed: the order of sets would differ in every run.

    Raises:
        ConfigError: PYTHONHASHSEED is unset; it must be set before Python starts.
    """
    if environment.get("PYTHONHASHSEED", "random") == "random":
        raise ConfigError("PYTHONHASHSEED is not set; the derivation must set it before Python starts")


def set_up_torch(torch: Any, numerics: Numerics) -> None:
    """Seed torch and choose deterministic kernels. Costs nothing on a machine without a GPU."""
    torch.manual_seed(numerics.seed)
    torch.set_num_threads(numerics.threads)
    torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(numerics.deterministic)
    # only matters to code that reads what it never wrote, and costs ~13 % on a GPU (NVIDIA/Megatron-LM#6253)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = numerics.deterministic
    torch.backends.cudnn.allow_tf32 = numerics.tf32
    torch.backends.cuda.matmul.allow_tf32 = numerics.tf32


def derived_seed(seed: int, name: str, bits: int) -> int:
    """A seed for one named stream: the first bits of SHA-256 over `SEED:NAME`."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest, "big") >> (256 - bits)


def after_import(actions: Mapping[str, Callable[[ModuleType], None]]) -> None:
    """Run an action right after a module's first import, or now if it is imported already."""
    for name in [n for n in actions if n in sys.modules]:
        actions[name](sys.modules[name])
    pending = {name: action for name, action in actions.items() if name not in sys.modules}
    sys.meta_path.insert(0, _PostImportFinder(pending))


class _PostImportFinder(importlib.abc.MetaPathFinder):
    def __init__(self, pending: dict[str, Callable[[ModuleType], None]]) -> None:
        self._pending = pending

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        action = self._pending.pop(fullname, None)
        if action is None:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(fullname, path, target) if finder is not self else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _PostImportLoader(spec.loader, action)
                return spec
        self._pending[fullname] = action  # not installed (yet)
        return None


class _PostImportLoader(importlib.abc.Loader):
    def __init__(self, loader: Any, action: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader  # the module must look as if we had never been here
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._action(module)
