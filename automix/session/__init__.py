"""Finds the tracks of songs, tells what they are, and opens their audio as a session."""
