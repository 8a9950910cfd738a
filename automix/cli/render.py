"""`automix render`: renders a plan, as it is or edited."""

from automix.cli import options
from automix.cli.declaration import from_fields
from automix.cli.output import Printer, report_errors
from automix.mixing.request import Delivery, PlanRequest


@report_errors
@from_fields(without={"delivery": ("name", "skip_existing")})
def render(
    request: PlanRequest,
    delivery: Delivery,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Render a plan to audio.

    The same plan and inputs give the same bytes. Where --set or a macro changes tracks, the master
    is finished again, so that the mix keeps its ceiling and its loudness. The mix goes beside the
    plan unless -o says otherwise: mix.toml to mix.wav. The plan as it was changed goes beside the
    mix.

    For example: automix render mix.toml --set vocal.fader_db+=2 -o louder.wav
    """
    from automix.cli.mix import run_mix

    run_mix(request, delivery, Printer(json=json, quiet=quiet, verbose=verbose), jobs=jobs)
