"""The whole benchmark in one run: `make bench`, or `python -m benchmarks [PART ...]`."""

from benchmarks.command import main

main()
