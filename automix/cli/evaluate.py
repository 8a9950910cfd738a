"""`automix evaluate`: measures mixes, models and listening tests."""

import typer

from automix.cli import (
    evaluate_effects,
    evaluate_frechet,
    evaluate_mixes,
    evaluate_ratings,
    evaluate_stems,
    evaluate_vocal,
)

app = typer.Typer(
    help="Measure mixes, models and listening tests.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("mixes")(evaluate_mixes.mixes)
app.command("ratings")(evaluate_ratings.ratings)
app.command("frechet")(evaluate_frechet.frechet)
app.command("stems")(evaluate_stems.stems)
app.command("effects")(evaluate_effects.effects)
app.command("vocal")(evaluate_vocal.vocal)
