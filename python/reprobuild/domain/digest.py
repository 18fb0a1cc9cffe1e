"""SHA-256 digests in the three spellings that Nix, Python packaging and people use."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

_NIX32 = "0123456789abcdfghijklmnpqrsvwxyz"
_HEX = re.compile(r"[0-9a-f]{64}\Z")


def nix32(data: bytes) -> str:
    """Nix's base-32: its own alphabet, least significant bits last.

    Source: Nix manual, "Store path specification"; libutil/hash.cc.
    """
    length = (len(data) * 8 + 4) // 5
    out = []
    for n in range(length - 1, -1, -1):
        byte, shift = divmod(n * 5, 8)
        value = data[byte] >> shift
        if byte + 1 < len(data):
            value |= data[byte + 1] << (8 - shift)
        out.append(_NIX32[value & 0x1F])
    return "".join(out)


def nix32_bytes(text: str) -> bytes:
    """The bytes that `nix32` wrote.

    Raises:
        ValueError: a character that is none of the alphabet's, or bits left over.
    """
    number = 0
    for character in text:
        number = number << 5 | _NIX32.index(character)
    return number.to_bytes(len(text) * 5 // 8, "little")


class Digest(str):
    """A SHA-256 digest, written as SRI (`sha256-` and base 64).

    Parses SRI, `sha256:HEX` and bare hex. Equal digests are equal strings.

    Raises:
        ValueError: not a SHA-256 digest in one of the three spellings.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Digest:
        return super().__new__(cls, cls._normal(text))

    @staticmethod
    def _normal(text: str) -> str:
        value = text.removeprefix("sha256:")
        if _HEX.match(value):
            raw = bytes.fromhex(value)
        elif text.startswith("sha256-"):
            try:
                raw = base64.b64decode(text[7:], validate=True)
            except ValueError as error:  # of binascii, or not ASCII at all
                raise ValueError(f"not a SHA-256 digest: {text!r}") from error
        else:
            raise ValueError(f"not a SHA-256 digest: {text!r}")
        if len(raw) != 32:
            raise ValueError(f"not a SHA-256 digest: {text!r}")
        return "sha256-" + base64.b64encode(raw).decode()

    @classmethod
    def of_raw(cls, raw: bytes) -> Digest:
        """From the 32 bytes themselves."""
        return cls(raw.hex())

    @classmethod
    def of_bytes(cls, data: bytes) -> Digest:
        """The digest of these bytes."""
        return cls.of_raw(hashlib.sha256(data).digest())

    @classmethod
    def of_chunks(cls, chunks: Iterable[bytes]) -> Digest:
        state = hashlib.sha256()
        for chunk in chunks:
            state.update(chunk)
        return cls.of_raw(state.digest())

    @classmethod
    def of_nix32(cls, text: str) -> Digest:
        """From Nix's base-32.

        Raises:
            ValueError: not a SHA-256 digest in base-32.
        """
        try:
            return cls.of_raw(nix32_bytes(text))
        except (OverflowError, ValueError) as error:
            raise ValueError(f"not a SHA-256 digest: {text!r}") from error

    @property
    def raw(self) -> bytes:
        return base64.b64decode(self[7:])

    @property
    def hex(self) -> str:
        return self.raw.hex()

    @property
    def nix32(self) -> str:
        return nix32(self.raw)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": "^sha256-[A-Za-z0-9+/]{43}=$"}
