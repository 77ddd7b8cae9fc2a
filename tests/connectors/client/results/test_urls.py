"""Where a delivery is."""

import pytest

from connectors.client.results.urls import socket_url, url_finder


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("127.0.0.1:8080", "ws://127.0.0.1:8080/v1/ws"),
        ("[::1]:8080", "ws://[::1]:8080/v1/ws"),
        ("http://a:1", "ws://a:1/v1/ws"),
        ("https://a.example/charts/", "wss://a.example/charts/v1/ws"),
        ("wss://a.example/v1/ws", "wss://a.example/v1/ws"),
    ],
)
def test_an_address_and_a_url_lead_to_the_socket(place: str, url: str) -> None:
    assert socket_url(place) == url


def test_an_address_is_spoken_to_over_tls_when_that_is_asked_for_and_a_list_is_asked_each_time() -> None:
    assert url_finder("a:1", tls=True)() == ["wss://a:1/v1/ws"]
    known = ["a:1"]
    find = url_finder(lambda: known, tls=False)
    known.append("http://b:2")
    assert find() == ["ws://a:1/v1/ws", "ws://b:2/v1/ws"]


@pytest.mark.parametrize("place", ["", "a", "a:0", "ftp://a:1", "http://", "http://a:1/?x=1", "http://me:secret@a:1"])
def test_what_leads_nowhere_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        socket_url(place)
