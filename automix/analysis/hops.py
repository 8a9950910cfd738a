"""The time grid of the meters: hops of 100 ms unless finer ones are asked, at any sample rate."""

HOPS_PER_SECOND = 10


def hop_start(hop: int, sample_rate: int, per_second: int = HOPS_PER_SECOND) -> int:
    """Finds the first frame of a hop: the one nearest to its time, halves rounded up."""
    return (hop * sample_rate + per_second // 2) // per_second


def hops_within(frames: int, sample_rate: int, per_second: int = HOPS_PER_SECOND) -> int:
    """Counts the hops that are complete within the first ``frames`` frames."""
    return (frames * per_second + per_second // 2 - 1) // sample_rate
