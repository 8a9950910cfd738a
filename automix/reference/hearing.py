"""Measures a whole finished mix: the figures that are compared, and its dynamics by band."""

from collections.abc import Callable

from automix.analysis.features import FeatureMeter, MixFeatures, Vector
from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import Stream
from automix.networks.device import use_threads
from automix.reference.bands import BandAnalysis
from automix.reference.comparison import select_figures

Figures = dict[str, Vector]
"""Values in dB by name, see `select_figures`; NaN where there is nothing to compare."""


def hear_source(source: AudioSource, analysis: BandAnalysis) -> tuple[MixFeatures, Figures]:
    """Listens once to a source at the rate of the analysis.

    Returns:
        The measured features, and the figures made of them, with the ``dynamics`` beside them.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    meter = FeatureMeter(analysis.sample_rate, source.channels)
    with use_threads(1):
        frames = analysis.whole(_pass_through(source, meter.add))
    found = meter.result()
    dynamics = analysis.features(frames)["dynamics"]
    return found, select_figures(found) | {"dynamics": dynamics.double().cpu().numpy()}


def _pass_through(source: AudioSource, look: Callable[[Samples], None]) -> AudioSource:
    """Makes the same source, of which ``look`` gets every block on its way."""

    def blocks():  # type: ignore[no-untyped-def]
        for block in source.blocks():
            look(block)
            yield block

    return Stream(
        sample_rate=source.sample_rate,
        channels=source.channels,
        frames=source.frames,
        make_blocks=blocks,
    )
