"""The program: what the ``automix`` command and ``python -m automix`` run."""

import gc
import os


def main() -> None:
    """Runs the program and exits."""
    gc.disable()  # until a command begins: imports leave no garbage, and to look for it takes time
    # OpenMP's threads, as torch has them, wait at work for some ms by themselves, on the cores that
    # the console's compiled loops then need: 0.1 ms is enough. Read when torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    from automix.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
