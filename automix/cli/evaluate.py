"""`automix evaluate`: measures mixes, models and listening tests."""

import typer

app = typer.Typer(
    help="Measure mixes, models and listening tests.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
