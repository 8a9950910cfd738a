"""What the pages that this program serves have in common: headers, and whose requests they take."""

from urllib.parse import SplitResult, urlsplit

PAGE_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
"""Content types of the files of a page, by extension."""

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer: a page runs its own files only, and no other page can look into it."""

OWN_HOSTS = ("localhost", "127.0.0.1", "::1")
"""Names by which a computer reaches itself."""


def split_address(address: str) -> SplitResult:
    """Splits an address into its parts; what is no address has none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def is_from_another_page(site: str | None, origin: str | None, host: str | None) -> bool:
    """Tells whether a browser says that a page of another address sent a request.

    Args:
        site: What the request says as ``Sec-Fetch-Site``, which decides; programs and old browsers
            say nothing.
        origin: What it says as ``Origin``.
        host: What it says as ``Host``, which is known to be one of our own.
    """
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and split_address(origin).netloc != host
