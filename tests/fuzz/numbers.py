"""Bytes and numbers at the edges of what formats can hold."""

import random

EDGES = (
    *(0, 1, 2, 3, 4, 7, 8, 15, 16, 23, 24, 25, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF),
    *(1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 8, (1 << 32) - 2, (1 << 32) - 1, 1 << 32),
    *((1 << 63) - 1, 1 << 63, (1 << 64) - 24, (1 << 64) - 1, 0x0101010101010101),
)


def draw_edge(rng: random.Random, width: int, present: int, size: int) -> int:
    """A value for a field of ``width`` bytes that held ``present`` in a file of ``size`` bytes."""
    near = [present + step for step in (-8, -2, -1, 1, 2, 8)]
    value = rng.choice((*EDGES, *near, present * 2, present // 2, -present, size, size - present))
    return value % (1 << 8 * width)


def damage_bytes(rng: random.Random, data: bytes) -> bytes:
    """Changes bytes without knowing what they mean."""
    changed = bytearray(data)
    # Headers are short, and worth as much as all that follows.
    at = rng.randrange(min(len(data), rng.choice((64, 512, len(data) + 1))) or 1)
    length = rng.choice((1, 1, 2, 4, 16, 100, 1000))
    match rng.randrange(7):
        case 0:
            for _ in range(rng.choice((1, 1, 2, 8))):
                place = rng.randrange(len(changed) or 1)
                changed[place : place + 1] = bytes(
                    byte ^ 1 << rng.randrange(8) for byte in changed[place : place + 1]
                )
        case 1:
            changed[at : at + length] = rng.randbytes(length)
        case 2:
            width = rng.choice((1, 2, 4, 8))
            value = draw_edge(rng, width, 0, len(data))
            changed[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))
        case 3:
            del changed[at : at + length]
        case 4:
            changed[at:at] = rng.randbytes(length)
        case 5:
            changed[at:at] = changed[at : at + length]
        case 6:
            changed[at : at + length] = bytes(length)
    return bytes(changed)
