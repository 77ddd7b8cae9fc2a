"""What clients ask for, as it is understood: aliases made canonical, limits kept, and the same said back."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import EVERY_SYMBOL, STATUS, Channel, ErrorCode, Subscribe
from connectors.delivery.live.server_messages import Rejected
from connectors.delivery.live.watch import Want
from connectors.delivery.store.records import Series
from connectors.tick_lines import is_symbol
from udfs.errors import FrameError
from udfs.frames import parse_frame

MAX_ECHO = 64
"""Of what is no symbol or time frame, this much is said back."""


class Wanted(NamedTuple):
    """One channel as it is understood."""

    want: Want
    symbols: tuple[str, ...]
    """Named ones."""
    everything: bool
    """Every symbol else, too."""
    time_frames: tuple[str, ...]
    snapshot: int

    @property
    def series(self) -> list[Series]:
        """The series named, symbol after symbol."""
        return [Series(symbol, frame) for symbol in self.symbols for frame in self.time_frames]

    @property
    def channel(self) -> Channel:
        """The same, as it is said to the client."""
        every = (EVERY_SYMBOL,) if self.everything else ()
        return _channel(self.want, every + self.symbols, self.time_frames, self.snapshot)


class Plan(NamedTuple):
    """A subscribe message as it is understood."""

    wanted: list[Wanted]
    rejected: list[Rejected]


class Known(NamedTuple):
    """What has to be known to understand it."""

    limits: Limits
    symbols: frozenset[str]
    """Those the client has named before."""
    rates: frozenset[float]
    """How often it is sent something now."""
    is_frame: Callable[[str], bool]
    """Whether there are bars of this time frame."""


def plan(message: Subscribe, known: Known) -> Plan:
    """What of `message` can be subscribed, and what cannot."""
    rejected: list[Rejected] = []
    named, rates = set(known.symbols), set(known.rates)
    wanted = []
    for channel in message.channels:
        want = _want(channel, known.limits)
        rates.add(want.max_hz)
        if len(rates) > known.limits.max_rates:
            rejected.append(_rejected(ErrorCode.TOO_MANY_RATES))
            rates.discard(want.max_hz)
            continue
        frames = _frames(channel.time_frames, known.is_frame, rejected)
        symbols = _symbols(channel.symbols, named, known.limits.max_symbols, rejected) if frames else ()
        everything = EVERY_SYMBOL in channel.symbols
        if frames and (symbols or everything):
            wanted.append(Wanted(want, symbols, everything, frames, channel.snapshot))
    return Plan(wanted, rejected)


def snapshot_rows(wanted: Iterable[Wanted], count_of: Callable[[str], int]) -> int:
    """How many bars the snapshots may have; `count_of` says how many series a time frame has."""
    return sum(
        each.snapshot * sum(len(each.symbols) + (count_of(frame) if each.everything else 0) for frame in each.time_frames)
        for each in wanted
        if each.snapshot
    )


def canonical_frame(label: str) -> str | None:
    """The canonical label of a time frame; None when it is none."""
    try:
        return parse_frame(label).label
    except FrameError:
        return None


def listed(named: Mapping[Series, Want], everything: Mapping[str, Want]) -> tuple[Channel, ...]:
    """All that is subscribed, in as few channels as say it."""
    symbols_of: dict[tuple[Want, str], list[str]] = {}
    for frame, want in everything.items():
        symbols_of.setdefault((want, frame), []).append(EVERY_SYMBOL)
    for series, want in named.items():
        symbols_of.setdefault((want, series.time_frame), []).append(series.stock_id)
    frames_of: dict[tuple[Want, tuple[str, ...]], list[str]] = {}
    for (want, frame), symbols in symbols_of.items():
        frames_of.setdefault((want, tuple(sorted(symbols))), []).append(frame)
    return tuple(_channel(want, symbols, tuple(frames)) for (want, symbols), frames in frames_of.items())


def _want(channel: Channel, limits: Limits) -> Want:
    labels = None if channel.indicators is None else frozenset(channel.indicators)
    return Want(channel.mode, labels, channel.max_hz or limits.max_hz)


def _channel(want: Want, symbols: tuple[str, ...], time_frames: tuple[str, ...], snapshot: int = 0) -> Channel:
    indicators = None if want.labels is None else tuple(sorted(want.labels))
    return Channel(
        channel="bars",
        symbols=symbols,
        time_frames=time_frames,
        indicators=indicators,
        mode=want.mode,
        max_hz=want.max_hz,
        snapshot=snapshot,
    )


def _frames(labels: Iterable[str], is_frame: Callable[[str], bool], rejected: list[Rejected]) -> tuple[str, ...]:
    frames: dict[str, None] = {}
    for label in labels:
        frame = canonical_frame(label)
        if frame is None or not is_frame(frame):
            rejected.append(_rejected(ErrorCode.BAD_TIME_FRAME, time_frame=label[:MAX_ECHO]))
        else:
            frames[frame] = None
    return tuple(frames)


def _symbols(symbols: Iterable[str], named: set[str], most: int, rejected: list[Rejected]) -> tuple[str, ...]:
    taken: dict[str, None] = {}
    for symbol in symbols:
        if symbol == EVERY_SYMBOL:
            continue
        if not is_symbol(symbol):
            rejected.append(_rejected(ErrorCode.BAD_SYMBOL, stock_id=symbol[:MAX_ECHO]))
        elif symbol not in named and len(named) >= most:
            rejected.append(_rejected(ErrorCode.SYMBOL_LIMIT, stock_id=symbol))
        else:
            named.add(symbol)
            taken[symbol] = None
    return tuple(taken)


def _rejected(code: ErrorCode, stock_id: str | None = None, time_frame: str | None = None) -> Rejected:
    return Rejected(code, STATUS[code], stock_id, time_frame)
