"""The program that a batch starts for each item: automix itself, ended when the batch ends.

Standard input is a pipe that the batch holds the other end of and never writes to. It is at its end
when the batch is gone, even by kill -9.
"""

import os
import runpy
import signal
import threading


def _end_with_the_batch() -> None:
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)  # this process leads a group of its own


def main() -> None:
    """Runs automix with the arguments of this process."""
    threading.Thread(target=_end_with_the_batch, daemon=True).start()
    runpy.run_module("automix", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
