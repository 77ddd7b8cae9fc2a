"""The query of a request, as it is to be parsed."""

from aiohttp import web

LONGEST_LINE = 80 * 1_024
"""Bytes of a request line (aiohttp's `max_line_size`): 1,024 symbols of 64 characters fit."""
Pairs = tuple[tuple[str, str], ...]


def query_pairs(request: web.Request) -> Pairs:
    """Names and texts in their order, a key among them aside: it is not part of what is asked, and is kept nowhere."""
    return tuple((name, text) for name, text in request.query.items() if name != "token")
