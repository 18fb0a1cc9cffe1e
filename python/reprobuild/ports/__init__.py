"""The edges of the system as Protocols: a service asks for one of these, `cli/wiring` hands in the adapter."""

from __future__ import annotations

from reprobuild.ports.audit import (
    ForeignComparer,
    KeyStore,
    LicenceTexts,
    OpenedKey,
    RecordStore,
    StoreSigner,
)
from reprobuild.ports.builds import Builder, BuildMachine, BuildView, Evaluator, SourceStore, Store
from reprobuild.ports.machines import BuilderAccess, HostFacts, MachinesFiles
from reprobuild.ports.sources import BaseResolver, FileHasher, SeedMaker, WheelLocator, WheelResolver
from reprobuild.ports.transfers import ByteProgress, CacheCopier, CacheReader, HttpClient

__all__ = [
    "BaseResolver",
    "BuildMachine",
    "BuildView",
    "Builder",
    "BuilderAccess",
    "ByteProgress",
    "CacheCopier",
    "CacheReader",
    "Evaluator",
    "FileHasher",
    "ForeignComparer",
    "HostFacts",
    "HttpClient",
    "KeyStore",
    "LicenceTexts",
    "MachinesFiles",
    "OpenedKey",
    "RecordStore",
    "SeedMaker",
    "SourceStore",
    "Store",
    "StoreSigner",
    "WheelLocator",
    "WheelResolver",
]
