"""Training of networks that imitate audio effects (Steinmetz 2020, chapter 4)."""
