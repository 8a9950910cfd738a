"""The program: what the ``automix`` command and ``python -m automix`` run."""

import gc


def main() -> None:
    """Runs the program and exits."""
    gc.disable()  # until a command begins: imports leave no garbage, and to look for it takes time
    from automix.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
