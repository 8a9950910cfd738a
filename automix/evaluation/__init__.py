"""Measures how good mixes, models and methods are, analyzes listening tests, draws plots."""
