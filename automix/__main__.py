"""``python -m automix``: the same program as the ``automix`` command."""

from automix.cli.app import main

if __name__ == "__main__":
    main()
