"""The sounds of the sung language, in ARPABET names.

Vowel formants: Peterson & Barney, "Control methods used in a study of the vowels", 1952, table II
(women).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phoneme:
    """The targets of one speech sound.

    Attributes:
        formants_hz: First three resonances of the vocal tract.
        voicing: Level of the vocal folds, 0…1.
        breath: Level of the noise at the vocal folds, relative to a vowel's ordinary breath.
        noise_hz: Center of the noise made in the mouth.
        noise_q: Sharpness (Q) of that noise.
        noise_db: Level of that noise relative to a vowel; −inf is no noise.
        duration_s: Length of a consonant (a vowel lasts as long as its note).
        closure_s: Silence before the noise of a stop consonant.
    """

    formants_hz: tuple[float, float, float]
    voicing: float = 1.0
    breath: float = 1.0
    noise_hz: float = 5000.0
    noise_q: float = 1.0
    noise_db: float = float("-inf")
    duration_s: float = 0.07
    closure_s: float = 0.0


VOWELS: dict[str, Phoneme] = {
    "IY": Phoneme((310.0, 2790.0, 3310.0)),
    "IH": Phoneme((430.0, 2480.0, 3070.0)),
    "EH": Phoneme((610.0, 2330.0, 2990.0)),
    "AE": Phoneme((860.0, 2050.0, 2850.0)),
    "AA": Phoneme((850.0, 1220.0, 2810.0)),
    "AO": Phoneme((590.0, 920.0, 2710.0)),
    "UH": Phoneme((470.0, 1160.0, 2680.0)),
    "UW": Phoneme((370.0, 950.0, 2670.0)),
    "AH": Phoneme((760.0, 1400.0, 2780.0)),
    "ER": Phoneme((500.0, 1640.0, 1960.0)),
}

CONSONANTS: dict[str, Phoneme] = {
    "M": Phoneme((280.0, 1100.0, 2500.0), 0.4, 0.3, duration_s=0.07),
    "N": Phoneme((280.0, 1700.0, 2600.0), 0.4, 0.3, duration_s=0.06),
    "NG": Phoneme((280.0, 2200.0, 2800.0), 0.35, 0.3, duration_s=0.09),
    "L": Phoneme((360.0, 1100.0, 2900.0), 0.55, 0.5, duration_s=0.06),
    "R": Phoneme((350.0, 1200.0, 1700.0), 0.55, 0.5, duration_s=0.06),
    "W": Phoneme((320.0, 700.0, 2300.0), 0.5, 0.5, duration_s=0.06),
    "DH": Phoneme((300.0, 1500.0, 2600.0), 0.35, 1.0, 6500.0, 0.6, -34.0, 0.05),
    "HH": Phoneme((700.0, 1500.0, 2700.0), 0.0, 5.0, duration_s=0.07),
    "S": Phoneme((320.0, 1700.0, 2700.0), 0.0, 0.0, 8000.0, 1.6, -15.5, 0.13),
    "Z": Phoneme((320.0, 1700.0, 2700.0), 0.25, 1.0, 7300.0, 1.6, -20.0, 0.09),
    "SH": Phoneme((340.0, 1900.0, 2600.0), 0.0, 0.0, 3900.0, 1.8, -13.5, 0.14),
    "T": Phoneme((350.0, 1800.0, 2700.0), 0.0, 0.0, 5500.0, 0.8, -17.0, 0.09, 0.05),
    "K": Phoneme((350.0, 2000.0, 2500.0), 0.0, 0.0, 2300.0, 1.5, -18.0, 0.09, 0.05),
    "G": Phoneme((300.0, 2000.0, 2500.0), 0.2, 0.5, 2100.0, 1.5, -26.0, 0.07, 0.04),
    "P": Phoneme((350.0, 900.0, 2400.0), 0.0, 0.0, 900.0, 0.7, -22.0, 0.09, 0.06),
}

PHONEMES: dict[str, Phoneme] = VOWELS | CONSONANTS
"""All vowels and consonants, by name."""

SIBILANTS = frozenset({"S", "Z", "SH"})
"""The consonants that a de-esser hears."""
