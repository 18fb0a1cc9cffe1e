"""What does the driver say of itself and of its GPUs? Asks NVML through `pynvml`; needs no root."""

from __future__ import annotations

import math
from typing import Any

from reprobuild_probe.cuda_driver import CudaDevice, CudaDevices, bus_address
from reprobuild_probe.driver_libraries import NVML, LibraryError, load
from reprobuild_probe.links import nvlink_bytes_per_s, nvlink_version, pcie_bytes_per_s
from reprobuild_probe.missing import NotAvailable

# What NVML's errors mean for whoever looks after the machine.
_MEANINGS = {
    4: "no permission: may this user open /dev/nvidia*?",
    9: "the kernel module is not loaded: `modprobe nvidia` as root loads it",
    18: "the driver was updated, and the kernel still runs the old one: restart the machine",
}


class NvmlError(Exception):
    """NVML cannot be used on this machine."""


class Nvml:
    """An open NVML; use it in a `with`.

    Raises:
        NvmlError: there is none, or it does not start.
    """

    def __init__(self) -> None:
        try:
            import pynvml
        except ImportError:
            raise NvmlError("the Python module pynvml (nvidia-ml-py) is not installed") from None
        try:
            load(NVML)  # where the loader does not look; pynvml then finds it loaded
        except LibraryError as error:
            raise NvmlError(f"no NVIDIA driver: {error}") from None
        self._nvml: Any = pynvml
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            meaning = _MEANINGS.get(error.value)
            said = f"NVML does not start: {error}"
            raise NvmlError(f"{said} ({meaning})" if meaning else said) from None
        self.missing = NotAvailable(pynvml.NVMLError)

    def __enter__(self) -> Nvml:
        return self

    def __exit__(self, *_: object) -> None:
        self._nvml.nvmlShutdown()

    def driver(self) -> dict[str, Any]:
        """Version of the driver, and of the newest CUDA that it runs."""
        nvml, read = self._nvml, self.missing.read
        number = read("driver.cuda_version", nvml.nvmlSystemGetCudaDriverVersion_v2)
        return {
            "version": read("driver.version", nvml.nvmlSystemGetDriverVersion),
            "cuda_version": None if number is None else f"{number // 1000}.{number % 1000 // 10}",
        }

    def gpus(self, cuda: CudaDevices | None) -> list[dict[str, Any]]:
        """All GPUs, in NVML's order.

        Args:
            cuda: what CUDA sees; None where it does not work.
        """
        count = self.missing.read("gpus", self._nvml.nvmlDeviceGetCount) or 0
        return [self._gpu(index, cuda) for index in range(count)]

    def _gpu(self, index: int, cuda: CudaDevices | None) -> dict[str, Any]:
        nvml, missing, at = self._nvml, self.missing, f"gpus[{index}]"
        handle = missing.read(f"{at}.name", lambda: nvml.nvmlDeviceGetHandleByIndex(index))

        def read(field: str, function: str) -> Any:
            if handle is None:
                return None
            return missing.read(f"{at}.{field}", lambda: getattr(nvml, function)(handle))

        name = read("name", "nvmlDeviceGetName")
        memory = read("memory_bytes", "nvmlDeviceGetMemoryInfo")
        capability = read("compute_capability", "nvmlDeviceGetCudaComputeCapability")
        ecc, mig = read("ecc_enabled", "nvmlDeviceGetEccMode"), read("mig_enabled", "nvmlDeviceGetMigMode")
        generation = read("pcie_generation", "nvmlDeviceGetMaxPcieLinkGeneration")
        lanes = read("pcie_lanes", "nvmlDeviceGetMaxPcieLinkWidth")
        split = bool(mig and mig[0])
        device = self._cuda_device(f"{at}.multiprocessors", handle, cuda, split)
        links = self._nvlinks(at, handle)
        return {
            "index": index,
            "name": name,
            "memory_bytes": memory and memory.total,
            "compute_capability": capability and f"{capability[0]}.{capability[1]}",
            # of a GPU split by MIG, CUDA shows a slice
            "multiprocessors": device.multiprocessors if device and not split else None,
            "threads_per_multiprocessor": device.threads_per_multiprocessor if device else None,
            "ecc_enabled": None if ecc is None else bool(ecc[0]),
            "mig_enabled": None if mig is None else split,
            "mig_slices": self._slices(at, handle, memory.total) if split and memory else [],
            "pcie_generation": generation,
            "pcie_lanes": lanes,
            "pcie_bytes_per_s": pcie_bytes_per_s(generation, lanes),
            "nvlink_version": links[0],
            "nvlink_links": links[1],
            "nvlink_bytes_per_s": nvlink_bytes_per_s(*links),
        }

    def _cuda_device(
        self, field: str, handle: Any, cuda: CudaDevices | None, split: bool
    ) -> CudaDevice | None:
        """CUDA's view of this GPU, found by its place on the bus."""
        if handle is None:
            return None
        bus = self.missing.read(field, lambda: self._nvml.nvmlDeviceGetPciInfo_v3(handle).busId)
        if bus is None:
            return None
        text = bus.decode() if isinstance(bus, bytes) else bus
        device = cuda.by_bus.get(bus_address(text)) if cuda else None
        if device is None:
            self.missing.reasons[field] = (
                "CUDA does not list this GPU" if cuda else "CUDA does not work here: see cuda_devices"
            )
        elif split:
            self.missing.reasons[field] = "split by MIG: see mig_slices"
        return device

    def _slices(self, at: str, handle: Any, total_bytes: int) -> list[dict[str, Any]]:
        """The slices that MIG has made; their names as NVIDIA writes profiles, such as 1g.5gb."""
        nvml, found = self._nvml, []
        places = self.missing.read(f"{at}.mig_slices", lambda: nvml.nvmlDeviceGetMaxMigDeviceCount(handle))
        for place in range(places or 0):
            try:
                one = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, place)
                size = nvml.nvmlDeviceGetAttributes_v2(one)
            except nvml.NVMLError:
                continue  # nothing at this place
            memory_bytes = size.memorySizeMB * 2**20
            found.append(
                {
                    "profile": mig_profile(
                        size.gpuInstanceSliceCount, size.computeInstanceSliceCount, memory_bytes, total_bytes
                    ),
                    "memory_bytes": memory_bytes,
                    "multiprocessors": size.multiprocessorCount,
                }
            )
        return found

    def _nvlinks(self, at: str, handle: Any) -> Any:
        """(version, number of active links); two times None where the GPU has none."""
        nvml, version, active, reason = self._nvml, None, 0, None
        if handle is None:
            return None, None
        answered = False
        for link in range(nvml.NVML_NVLINK_MAX_LINKS):
            try:
                state = nvml.nvmlDeviceGetNvLinkState(handle, link)
                answered = True
                if state == 1:
                    active += 1
                    version = version or nvlink_version(nvml.nvmlDeviceGetNvLinkVersion(handle, link))
            except nvml.NVMLError as error:  # numbers above the last link, or no links at all
                reason = reason or str(error)
        if not answered:
            self.missing.reasons[f"{at}.nvlink_links"] = str(reason)
            return None, None
        return version, active


def mig_profile(gpu_slices: int, compute_slices: int, memory_bytes: int, total_bytes: int) -> str:
    """The name of a slice's profile. Its size counts eighths of the GPU's memory, of which a slice sees a little less.

    >>> mig_profile(1, 1, 4864 * 2**20, 40536 * 2**20)
    '1g.5gb'
    >>> mig_profile(3, 1, 19968 * 2**20, 40536 * 2**20)
    '1c.3g.20gb'
    """
    eighths = math.ceil(8 * memory_bytes / total_bytes)
    size_gb = round(eighths / 8 * math.ceil(total_bytes / 2**30))
    part = f"{compute_slices}c." if compute_slices < gpu_slices else ""
    return f"{part}{gpu_slices}g.{size_gb}gb"
