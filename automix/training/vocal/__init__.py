"""Training of the four networks that mix a vocal (Li and Lerch)."""
