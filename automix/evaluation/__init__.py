"""How good mixes, models and methods are: measures, statistics of listening tests, plots."""
