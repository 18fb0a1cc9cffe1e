"""`python -m reprobuild`."""

from reprobuild.cli.main import main

main()
