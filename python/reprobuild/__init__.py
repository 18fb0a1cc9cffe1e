"""reprobuild: models that can be provably rebuilt."""

__version__ = "0.1.0"
