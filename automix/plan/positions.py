"""Pan positions in words."""


def describe_position(pan: float) -> str:
    """A pan position in words, such as ``40 % left``.

    Args:
        pan: 0 left, 0.5 center, 1 right.
    """
    if abs(pan - 0.5) < 0.005:
        return "center"
    return f"{200 * abs(pan - 0.5):.0f} % {'left' if pan < 0.5 else 'right'}"
