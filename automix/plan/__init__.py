"""The mix plan: parameters, settings, the plan as text, addresses, differences, macros.

Everything here needs the standard library alone, so that help pages and completion are instant.
"""
