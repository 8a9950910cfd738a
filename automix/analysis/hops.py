"""The time grid of the meters: hops of 100 ms, at any sample rate."""

HOPS_PER_SECOND = 10


def hop_start(hop: int, sample_rate: int) -> int:
    """Finds the first frame of a hop: the one nearest to ``hop`` · 100 ms, halves rounded up."""
    return (hop * sample_rate + HOPS_PER_SECOND // 2) // HOPS_PER_SECOND


def hops_within(frames: int, sample_rate: int) -> int:
    """Counts the hops that are complete within the first ``frames`` frames."""
    return (frames * HOPS_PER_SECOND + HOPS_PER_SECOND // 2 - 1) // sample_rate
