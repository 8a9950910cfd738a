"""Rides: what moves in a mix over the song, after a method has set what stands.

Pure functions from energies to lines, each idea in a file of its own, and `writing`, which hears a
mix and puts the lines into its plan.
"""
