"""Sends damaged inputs to the program, and prints what must not be.

    python -m tests.fuzz KIND [--seed N] [--first N] [--count N] [--jobs N] [--keep FOLDER]

KIND is `audio`, `texts`, or one of the kinds of text. One JSON line for each fault; the command
that a fault prints makes its input again, and with `--keep` leaves it in a folder.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

# Threads do not live on in a fork, which would wait for them. Read when torch and NumPy are loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

from tests.fuzz.running import KINDS, run_alone, run_many


def main() -> None:
    """Runs the program and exits with 1 if there was a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--step", type=int, default=1, help="take every so manieth number")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin none after these")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the numbers")
    parser.add_argument("--keep", type=Path, help="leave the input of the last case here")
    given = parser.parse_args()
    if given.jobs > 1:
        summary = run_many(
            given.kind,
            seed=given.seed,
            first=given.first,
            count=given.count,
            jobs=given.jobs,
            seconds=given.seconds,
            report=lambda fault: print(json.dumps(fault), flush=True),
        )
    else:
        with tempfile.TemporaryDirectory(prefix="automix-fuzz-") as scratch:
            summary = run_alone(
                given.kind,
                seed=given.seed,
                numbers=range(given.first, given.first + given.count, given.step),
                seconds=given.seconds,
                scratch=given.keep or Path(scratch),
                report=lambda fault: print(json.dumps(fault), flush=True),
            )
    print(json.dumps(summary))
    sys.exit(1 if summary["faults"] else 0)


if __name__ == "__main__":
    main()
