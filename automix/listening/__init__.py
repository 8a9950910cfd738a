"""Listening tests: makes the page that participants rate mixes on, serves it, reads its results."""
