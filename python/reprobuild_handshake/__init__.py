"""Starts the stages that run on a GPU: measures the machine first, and refuses one that is not what the spec asks for.

It stands in front of the worker, in the sandbox, in derivations of stages with `gpu = true` only. A package of its own,
so that no change of it and of the probe reaches a stage on the CPU.
"""
