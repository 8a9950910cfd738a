"""Measurements: arrays in, numbers out; nothing here changes audio."""
