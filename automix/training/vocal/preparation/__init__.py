"""Preparation of vocals and backings to train on, as `automix data vocal` does it."""
