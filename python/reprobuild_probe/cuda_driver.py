"""What does CUDA itself see? Asks libcuda, whose answer decides whether a program can compute on a GPU."""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass

from reprobuild_probe.driver_libraries import CUDA, LibraryError, load

_MULTIPROCESSOR_COUNT = 16  # CU_DEVICE_ATTRIBUTE_…, as in cuda.h
_MAX_THREADS_PER_MULTIPROCESSOR = 39


@dataclass(frozen=True)
class CudaDevice:
    multiprocessors: int
    threads_per_multiprocessor: int


@dataclass(frozen=True)
class CudaDevices:
    """
    Args:
        count: devices that a program can use; of a GPU split by MIG, CUDA shows one slice.
        by_bus: PCI address as `bus_address` gives it → device.
    """

    count: int
    by_bus: dict[str, CudaDevice]


def bus_address(text: str) -> str:
    """One spelling for NVML's `00000000:1B:00.0` and CUDA's `0000:1b:00.0`."""
    domain, _, rest = text.lower().partition(":")
    return f"{int(domain, 16):04x}:{rest}"


def read_devices() -> CudaDevices:
    """All devices that CUDA lists.

    Raises:
        LibraryError: libcuda cannot be loaded, or says that it cannot work here.
    """
    library = load(CUDA)

    def call(function: str, *arguments: object) -> None:
        status = getattr(library, function)(*arguments)
        if status != 0:
            raise LibraryError(f"{CUDA}: {function} failed with {_error_name(library, status)}")

    call("cuInit", 0)
    count = ctypes.c_int()
    call("cuDeviceGetCount", ctypes.byref(count))
    by_bus = {}
    for index in range(count.value):
        device, number, bus = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(32)
        call("cuDeviceGet", ctypes.byref(device), index)
        call("cuDeviceGetPCIBusId", bus, len(bus), device)
        values = []
        for attribute in (_MULTIPROCESSOR_COUNT, _MAX_THREADS_PER_MULTIPROCESSOR):
            call("cuDeviceGetAttribute", ctypes.byref(number), attribute, device)
            values.append(number.value)
        by_bus[bus_address(bus.value.decode())] = CudaDevice(*values)
    return CudaDevices(count.value, by_bus)


def _error_name(library: ctypes.CDLL, status: int) -> str:
    name = ctypes.c_char_p()
    with contextlib.suppress(AttributeError):  # a very old libcuda
        library.cuGetErrorName(status, ctypes.byref(name))
    return name.value.decode() if name.value else f"error {status}"
