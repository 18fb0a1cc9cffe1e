"""How fast is it, each time against a peer in the same run? Start with `benchmarks/run --help`."""
