"""Where a delivery's WebSocket is: what people and the registry call it, as a URL."""

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from connectors.client.retries import Addresses, parse_address

PATH = "/v1/ws"
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def socket_url(text: str, *, tls: bool = False) -> str:
    """The WebSocket of `http://host:port`, `wss://host/prefix`, or `host:port` (over TLS if so asked). Raises ValueError."""
    if "://" not in text:
        host, port = parse_address(text)
        return f"{'wss' if tls else 'ws'}://{f'[{host}]' if ':' in host else host}:{port}{PATH}"
    parts = urlsplit(text)
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"expected host:port or http(s)://host:port, got {text!r}")
    path = parts.path.rstrip("/")
    return urlunsplit((scheme, parts.netloc, path if path.endswith(PATH) else path + PATH, "", ""))


def url_finder(places: Addresses, *, tls: bool) -> Callable[[], list[str]]:
    """What to call for the URLs of the next try. Raises ValueError for a place that is none."""
    if callable(places):
        return lambda: [socket_url(each, tls=tls) for each in places()]
    fixed = [socket_url(each, tls=tls) for each in ([places] if isinstance(places, str) else places)]
    return lambda: fixed
