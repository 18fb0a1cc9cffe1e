"""Predicates of in-toto statements, out of what is known of a build."""
