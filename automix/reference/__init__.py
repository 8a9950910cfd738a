"""Mixing towards a reference: what it is like, and the settings that lead there."""
