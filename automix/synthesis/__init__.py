"""Synthetic songs to train on: multitracks with a known target mix, made from a seed.

A song is arranged in one of several styles, played by a sampler or by built-in instruments, and
mixed by documented conventions with a human spread. Every decision of the target is in its plan.
"""
