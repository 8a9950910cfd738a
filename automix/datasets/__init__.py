"""Data sets on the disk: which songs they hold, and how songs are split. Nothing is downloaded."""
