"""Facts about finished music that the rules, the report and the tests share.

Two kinds of facts stand here, all as plain numbers:

- how wide finished mixes are in each of eight bands: 17 finished mixes of rock, pop, metal,
  electronic and soul songs, measured for this project; excerpts of 25 to 30 s;
- how the stems of finished songs sound on average: averages over the stems of MUSDB18 published
  with FxNorm-automix (Martínez-Ramírez et al., 2022), smoothed to thirds of octaves.
"""

WIDTH_SOURCE = (
    "17 finished mixes of rock, pop, metal, electronic and soul songs, measured for this project;"
    " excerpts of 25 to 30 s"
)
"""What the widths below were measured on, in words."""

WIDTH_BANDS_HZ = (
    (20.0, 120.0),
    (120.0, 250.0),
    (250.0, 500.0),
    (500.0, 1000.0),
    (1000.0, 2000.0),
    (2000.0, 4000.0),
    (4000.0, 8000.0),
    (8000.0, 16000.0),
)
"""Lower and upper edge of each band in which the width of a mix is told, in Hz."""

WIDTH_LOWER_QUARTILE_DB = (-22.7, -13.4, -11.7, -11.1, -9.5, -10.3, -11.5, -11.8)
"""First quartile over 17 finished mixes, by band: sides over middle in dB.

The power of (left − right) / 2 over that of (left + right) / 2: −inf is mono, 0 dB unrelated sides.
"""

WIDTH_MEDIAN_DB = (-18.2, -12.9, -9.5, -9.0, -8.5, -7.7, -8.8, -9.8)
"""Median over the same mixes, by band: sides over middle in dB."""

WIDTH_UPPER_QUARTILE_DB = (-14.2, -9.8, -5.8, -6.8, -7.0, -6.3, -4.9, -6.7)
"""Third quartile over the same mixes, by band: sides over middle in dB."""

STEM_CENTERS_HZ = (
    25.0, 31.5, 39.7, 50.0, 63.0, 79.4, 100.0, 126.0, 158.7, 200.0, 252.0, 317.5, 400.0, 504.0,
    635.0, 800.0, 1007.9, 1269.9, 1600.0, 2015.9, 2539.8, 3200.0, 4031.7, 5079.7, 6400.0, 8063.5,
    10159.4, 12800.0, 16127.0, 20318.7,
)  # fmt: skip
"""Centers of the thirds of an octave of the average spectra, in Hz."""

STEM_MAGNITUDE_DB: dict[str, tuple[float, ...]] = {
    "vocals": (
        -9.6, -9.1, -8.4, -7.5, -6.1, -4.4, -2.5, -0.4, 1.5, 3.2, 4.8, 6.0, 6.1, 6.0, 5.0, 3.2,
        1.6, -0.6, -2.6, -5.8, -7.0, -8.4, -11.7, -16.9, -17.4, -18.3, -20.9, -26.0, -34.3, -43.9,
    ),
    "drums": (
        2.3, 3.0, 3.9, 5.0, 6.1, 6.9, 6.4, 4.6, 2.9, 0.8, -2.7, -5.8, -7.7, -9.7, -12.2, -14.6,
        -16.8, -17.9, -18.9, -19.9, -20.1, -20.0, -20.2, -21.1, -22.2, -24.3, -26.2, -29.4, -34.4,
        -41.2,
    ),
    "bass": (
        -0.3, 1.0, 2.5, 4.3, 5.7, 6.9, 7.4, 6.6, 4.3, 1.0, -3.8, -9.0, -13.7, -17.8, -21.5, -23.8,
        -25.7, -28.4, -29.9, -29.7, -31.8, -34.5, -41.6, -47.4, -53.6, -59.1, -62.5, -65.3, -64.5,
        -62.6,
    ),
    "other": (
        -0.8, -0.7, -0.6, -0.4, 0.4, 1.2, 2.0, 3.3, 4.4, 5.4, 5.6, 4.9, 3.5, 2.0, 0.6, -1.2, -3.0,
        -4.3, -5.3, -5.9, -6.8, -10.1, -13.7, -18.7, -25.2, -30.1, -33.3, -37.4, -42.6, -47.0,
    ),
}  # fmt: skip
"""Average magnitude spectrum of each kind of stem at `STEM_CENTERS_HZ`.

Per Hz, not per band, in dB above the mean power of the thirds of that stem: only the shape means
something. A level per third of an octave is 10·log10 of the band's width in Hz higher.
"""

STEM_PEAK_DB = {"vocals": -14.24, "drums": -13.48, "bass": -13.13, "other": -14.66}
"""Mean level of the peaks of onsets of each kind of stem after loudness normalization, in dB.

It tells how compressed such stems are: the denser, the lower.
"""

STEM_PEAK_DEVIATION_DB = {"vocals": 1.37, "drums": 1.13, "bass": 0.9, "other": 1.27}
"""Standard deviation of those levels in dB."""
