"""Decisions about two outputs of one stage: where they part, and what explains it. No I/O."""
