"""Queries for a stream of events: what of which series, as a WebSocket client would subscribe it; and where it goes on. Pure."""

from collections.abc import Iterable

from connectors.delivery.http.bars_query import INDICATORS, MAX_ROWS, SYMBOLS_OR_ALL, TIME_FRAMES
from connectors.delivery.http.parameters import Offer, Parameter, always, parse_query, read_choice, read_whole, shown
from connectors.delivery.live.messages import EVERY_SYMBOL, Channel, Mode, Resume, Subscribe

MIN_HZ, MAX_HZ = 0.01, 50.0


def _read_hertz(text: str, _: Offer) -> float:
    try:
        hertz = float(text)
    except ValueError:
        hertz = 0.0
    if not MIN_HZ <= hertz <= MAX_HZ:
        raise ValueError(f"expected a number from {MIN_HZ:g} to {MAX_HZ:g}, not {shown(text)}")
    return hertz


STREAM_PARAMETERS = (
    SYMBOLS_OR_ALL,
    TIME_FRAMES,
    INDICATORS,
    Parameter(
        "mode",
        read_choice(*Mode),
        "`final`: finals and revisions; `live`: forming bars too; `latest`: the newest bar only.",
        always({"type": "string", "enum": [*Mode], "default": Mode.LIVE}),
        default=Mode.LIVE,
    ),
    Parameter(
        "max_hz",
        _read_hertz,
        "How often a second a series' forming bar may come.",
        always({"type": "number", "minimum": MIN_HZ, "maximum": MAX_HZ}),
    ),
    Parameter(
        "snapshot",
        read_whole(0, MAX_ROWS),
        "How many of the newest bars of each series come first.",
        always({"type": "integer", "minimum": 0, "maximum": MAX_ROWS, "default": 0}),
        default=0,
    ),
)


def parse_stream_query(pairs: Iterable[tuple[str, str]], offer: Offer) -> Subscribe:
    """What a stream is subscribed to. Raises BadQuery."""
    values = parse_query(pairs, STREAM_PARAMETERS, offer)
    channel = Channel(
        channel="bars",
        symbols=values["symbols"] or (EVERY_SYMBOL,),
        time_frames=tuple(frame.label for frame in values["time_frames"]),
        indicators=values["indicators"],
        mode=Mode(values["mode"]),
        max_hz=values["max_hz"],
        snapshot=values["snapshot"],
    )
    return Subscribe(channels=(channel,))


def parse_last_event_id(text: str) -> Resume | None:
    """The connection to go on with, and the last message seen of it; None when the text is no id of ours."""
    conn, _, seq = text.rpartition(":")
    if not 1 <= len(conn) <= 128 or not (seq.isascii() and seq.isdigit()) or len(seq) > 15:
        return None
    return Resume(conn=conn, msg_seq=int(seq))
