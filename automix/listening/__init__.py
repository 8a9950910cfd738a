"""Listening tests: a page that participants rate mixes on, a server for it, and its results."""
