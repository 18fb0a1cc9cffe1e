"""Check who signed a model, and that it is what they signed: Python and `cryptography`, no Nix, no network.

Imports nothing of reprobuild, so that a machine that has nothing else can run it.
"""
