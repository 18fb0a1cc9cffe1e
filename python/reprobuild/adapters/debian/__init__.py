"""A Debian archive: signature, index, packages. `archive.DebianArchive` is what services are given."""
