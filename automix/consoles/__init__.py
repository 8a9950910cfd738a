"""Consoles turn a session and a plan into audio."""
