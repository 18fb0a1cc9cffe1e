"""CUDA's driver interface through ctypes: memory, and kernels from PTX text. Needs the driver alone, no toolkit."""

from __future__ import annotations

import ctypes
from array import array
from pathlib import Path

THREADS = 256  # of a block


class CudaError(Exception):
    """A call of the driver failed."""


class Gpu:
    """The first GPU that the driver lists. Pointers are numbers; kernels are called by name.

    Args:
        ptx: program text; the driver compiles it for this GPU.
    """

    def __init__(self, ptx: str) -> None:
        self._driver = ctypes.CDLL("libcuda.so.1")
        self._call("cuInit", 0)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self._module = ctypes.c_void_p()
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self._call("cuModuleLoadData", ctypes.byref(self._module), ctypes.c_char_p(ptx.encode()))
        self._kernels: dict[str, ctypes.c_void_p] = {}

    @classmethod
    def with_kernels(cls, folder: Path) -> Gpu:
        return cls((folder / "kernels.ptx").read_text(encoding="ascii"))

    def upload(self, values: array[float]) -> int:
        pointer = self.zeros(len(values))
        source, size = values.buffer_info()
        self._call(
            "cuMemcpyHtoD_v2", ctypes.c_uint64(pointer), ctypes.c_void_p(source), ctypes.c_size_t(size * 4)
        )
        return pointer

    def zeros(self, size: int) -> int:
        """Memory for that many floats."""
        pointer = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(size * 4))
        self.clear(pointer.value, size)
        return pointer.value

    def clear(self, pointer: int, size: int) -> None:
        self._call("cuMemsetD32_v2", ctypes.c_uint64(pointer), ctypes.c_uint(0), ctypes.c_size_t(size))

    def download(self, pointer: int, size: int) -> array[float]:
        """Waits for all kernels before."""
        values = array("f", bytes(size * 4))
        target, _ = values.buffer_info()
        self._call(
            "cuMemcpyDtoH_v2", ctypes.c_void_p(target), ctypes.c_uint64(pointer), ctypes.c_size_t(size * 4)
        )
        return values

    def launch(self, kernel: str, size: int, *arguments: tuple[str, float], parts: int = 1) -> None:
        """Start a kernel with one thread for each of `size` elements, `parts` times.

        Args:
            arguments: kind and value: `p` a pointer, `u` a whole number, `f` a float.
        """
        kinds = {"p": ctypes.c_uint64, "u": ctypes.c_uint32, "f": ctypes.c_float}
        values = [kinds[kind](value) for kind, value in arguments]  # type: ignore[arg-type]
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        blocks = -(-size // THREADS)
        grid = (ctypes.c_uint(blocks), ctypes.c_uint(parts), ctypes.c_uint(1))
        block = (ctypes.c_uint(THREADS), ctypes.c_uint(1), ctypes.c_uint(1))
        self._call(
            "cuLaunchKernel", self._kernel(kernel), *grid, *block, ctypes.c_uint(0), None, pointers, None
        )

    def _kernel(self, name: str) -> ctypes.c_void_p:
        if name not in self._kernels:
            found = ctypes.c_void_p()
            self._call(
                "cuModuleGetFunction", ctypes.byref(found), self._module, ctypes.c_char_p(name.encode())
            )
            self._kernels[name] = found
        return self._kernels[name]

    def _call(self, function: str, *arguments: object) -> None:
        status = getattr(self._driver, function)(*arguments)
        if status != 0:
            text = ctypes.c_char_p()
            self._driver.cuGetErrorString(ctypes.c_int(status), ctypes.byref(text))
            raise CudaError(f"{function} failed with status {status}: {(text.value or b'').decode()}")
