"""The report of a mix: one HTML file that needs no network."""

from automix.report.page import report_page

__all__ = ["report_page"]
