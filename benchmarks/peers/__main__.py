"""The job beside others that build the same bars from the same ticks: `python -m benchmarks.peers`."""

from benchmarks.command import main

main("peers")
