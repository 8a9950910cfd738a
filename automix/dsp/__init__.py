"""Exact processors: settings and audio in, audio out."""
