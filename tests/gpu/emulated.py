"""Stands in for a GPU: runs the few PTX instructions of project/kernels.ptx, thread after thread. No hardware."""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_ENTRY = re.compile(r"\.visible \.entry (\w+)\((.*?)\)\s*\{(.*?)\n\}", re.DOTALL)
_PARAMETER = re.compile(r"\.param \.\w+ (\w+)")
_INSTRUCTION = re.compile(r"(?:@(?P<guard>%p\d+) )?(?P<name>[\w.]+)\s*(?P<operands>.*)")
THREADS = 4  # of a block; the code must not depend on it


def rounded(value: float) -> float:
    """To the nearest 32-bit float."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


@dataclass(frozen=True)
class _Kernel:
    parameters: list[str]
    code: list[tuple[str | None, str, list[str]]]  # guard, instruction, operands
    labels: dict[str, int]


class EmulatedGpu:
    """What project/driver.py's Gpu offers. Memory is one list of floats; a pointer counts bytes, as on a GPU.

    Args:
        order: puts threads of a launch in the order in which they run.
    """

    def __init__(self, ptx: Path, order: Callable[[list[int]], list[int]] = lambda threads: threads) -> None:
        text = re.sub(r"//.*", "", ptx.read_text(encoding="ascii"))
        self._kernels = {name: _parse(head, body) for name, head, body in _ENTRY.findall(text)}
        self._memory: list[float] = [0.0] * 64  # so that no pointer is 0
        self._order = order

    def zeros(self, size: int) -> int:
        pointer = len(self._memory) * 4
        self._memory += [0.0] * size
        return pointer

    def upload(self, values: array[float]) -> int:
        pointer = self.zeros(len(values))
        self._memory[pointer // 4 : pointer // 4 + len(values)] = values
        return pointer

    def clear(self, pointer: int, size: int) -> None:
        self._memory[pointer // 4 : pointer // 4 + size] = [0.0] * size

    def download(self, pointer: int, size: int) -> array[float]:
        return array("f", self._memory[pointer // 4 : pointer // 4 + size])

    def launch(self, kernel: str, size: int, *arguments: tuple[str, float], parts: int = 1) -> None:
        found = self._kernels[kernel]
        values = [rounded(value) if kind == "f" else value for kind, value in arguments]
        assert len(values) == len(found.parameters), kernel
        given = dict(zip(found.parameters, values, strict=True))
        blocks = -(-size // THREADS)
        for number in self._order(list(range(blocks * THREADS * parts))):
            part, thread = divmod(number, blocks * THREADS)
            special = {"%ctaid.x": thread // THREADS, "%tid.x": thread % THREADS}
            self._run(found, given, {**special, "%ctaid.y": part, "%ntid.x": THREADS})

    def _run(self, kernel: _Kernel, given: dict[str, float], registers: dict[str, float]) -> None:
        def value(operand: str) -> float:
            if operand.startswith("0f"):
                return float(struct.unpack(">f", bytes.fromhex(operand[2:]))[0])
            return registers[operand] if operand.startswith("%") else int(operand)

        at = 0
        while True:
            guard, name, operands = kernel.code[at]
            at += 1
            if guard is not None and not registers[guard]:
                continue
            if name == "ret":
                return
            if name == "bra":
                at = kernel.labels[operands[0]]
            elif name.startswith("ld.param"):
                registers[operands[0]] = given[operands[1].strip("[]")]
            elif name == "ld.global.f32":
                registers[operands[0]] = self._memory[self._place(value(operands[1].strip("[]")))]
            elif name == "st.global.f32":
                self._memory[self._place(value(operands[0].strip("[]")))] = value(operands[1])
            elif name == "red.global.add.f32":
                place = self._place(value(operands[0].strip("[]")))
                self._memory[place] = rounded(self._memory[place] + value(operands[1]))
            else:
                registers[operands[0]] = _compute(name, [value(operand) for operand in operands[1:]])

    def _place(self, pointer: float) -> int:
        place, rest = divmod(int(pointer), 4)
        assert rest == 0 and 64 <= place < len(self._memory), f"pointer {pointer} is nobody's memory"
        return place


_OPERATIONS: dict[str, Callable[..., float]] = {
    "mov": lambda a: a,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "mad": lambda a, b, c: a * b + c,
    "fma": lambda a, b, c: a * b + c,
    "div": lambda a, b: a // b,
    "rem": lambda a, b: a % b,
    "min": min,
    "max": max,
    "selp": lambda a, b, p: a if p else b,
    "setp.ge": lambda a, b: a >= b,
    "setp.gt": lambda a, b: a > b,
}


def _compute(name: str, values: list[float]) -> float:
    words = name.split(".")
    result = _OPERATIONS[".".join(words[:2]) if words[0] == "setp" else words[0]](*values)
    if words[0] == "setp":
        return result
    if words[-1] == "f32":
        return rounded(result)
    bits = 64 if words[-1] == "u64" or "wide" in words else 32
    assert 0 <= result < 2**bits, f"{name} overflows"
    return result


def _parse(head: str, body: str) -> _Kernel:
    code: list[tuple[str | None, str, list[str]]] = []
    labels = {}
    for line in (line.strip() for line in body.splitlines()):
        if line.endswith(":"):
            labels[line[:-1]] = len(code)
        elif line and not line.startswith(".reg"):
            found = _INSTRUCTION.fullmatch(line.removesuffix(";"))
            assert found is not None, line
            operands = [operand.strip() for operand in found["operands"].split(",")]
            code.append((found["guard"], found["name"], operands))
    return _Kernel(_PARAMETER.findall(head), code, labels)
