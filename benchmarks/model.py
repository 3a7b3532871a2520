"""`python -m benchmarks.model`: how fast the networks are, on the CPU and, if there is one, on the GPU.

It needs the extra `benchmark`.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.model_on_cpu import cpu_table
from segmentation_server.model.engines import has_gpu
from segmentation_server.settings import Settings


def main() -> int:
    """Print a table for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model", description="Times the networks.")
    parser.add_argument("--only", choices=("cpu", "gpu"), help="one of the two tables")
    parser.add_argument("--rounds", type=int, default=9, help="runs of each engine on the CPU (%(default)s)")
    parser.add_argument("--threads", type=int, default=Settings.threads, help="cores for each (%(default)s)")
    options = parser.parse_args()
    if options.only != "gpu":
        print(f"\nCPU: {options.threads} threads on {os.cpu_count()} cores, medians of {options.rounds} rounds\n")
        with tempfile.TemporaryDirectory() as folder:
            for line in cpu_table(Path(folder), options.rounds, options.threads):
                print(line, flush=True)
    if options.only != "cpu":
        print_gpu()
    return 0


def print_gpu() -> None:
    """The GPU's tables, or that there is no GPU."""
    if not has_gpu():
        print("\nGPU: PyTorch finds none here, so nothing is measured on one.")
        return
    from benchmarks.model_on_gpu import gpu_tables

    for line in gpu_tables():
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
