"""What is kept of a symbol between records, and the promise that later versions can read it.

Every part is a tuple of builtins that starts with its version. A part of an older version is brought up by the
functions in `UPGRADES`; a part of a newer one, or one made with other fixed settings, is refused by name.

| part | touched | holds |
|---|---|---|
| hot | by each record | clock, open minutes, waiting late ticks, the newest of the duplicates' log |
| partials | when a minute closes | open bars of the larger frames, merged from closed minutes |
| frame | when a bar of that frame closes, is revised or shown | revisable closed bars, indicator states before and after them |
| history | a put for each bar that can no longer be revised | the last `warm_bars` bars, for indicators and frames added later |
| seen | when event time enters another stretch of some seconds, and each 16 ticks | the duplicates' log, a slot a stretch |
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias

from udfs.bars import Partial
from udfs.errors import StateError
from udfs.model import Scales
from udfs.panel import States

Part: TypeAlias = tuple[Any, ...]
Identity: TypeAlias = tuple[int, str | None, str | int]
"""What tells a tick from others of its stretch: ns within the stretch, source, id (else seq)."""

PARTIALS_VERSION = 1
HOT_VERSION = FRAME_VERSION = 2


def _hot_1_to_2(part: Part) -> Part:
    """Version 2 logs duplicates by longer stretches; what version 1 had logged waits to be laid anew."""
    *others, second, recent, chunks = part[1:]
    return 2, *others, 0, 0, -1, set(), 0, 0, 0, (second, recent, chunks)


def _frame_1_to_2(part: Part) -> Part:
    """Version 2 knows the run of a frame that was added later; before, every frame was said under its symbol's."""
    return 2, *part[1:], None


UPGRADES: dict[tuple[str, int], Callable[[Part], Part]] = {("hot", 1): _hot_1_to_2, ("frame", 1): _frame_1_to_2}
"""(part, version) -> what makes the next version of it."""


class Store(Protocol):
    """Where one symbol's parts are kept: Flink state in the job, a dict in tests. Values are builtins only."""

    def get_hot(self) -> Part | None:
        """The hot part."""

    def put_hot(self, part: Part) -> None:
        """Keep the hot part."""

    def get_partials(self) -> Part | None:
        """The open bars of the larger frames."""

    def put_partials(self, part: Part) -> None:
        """Keep the open bars of the larger frames."""

    def get_frame(self, label: str) -> Part | None:
        """One frame's closed bars and indicator states."""

    def put_frame(self, label: str, part: Part) -> None:
        """Keep one frame."""

    def drop_frame(self, label: str) -> None:
        """Forget a frame that is no longer configured."""

    def get_history(self, slot: str) -> Part | None:
        """One bar of `frame/slot`."""

    def put_history(self, slot: str, bar: Part) -> None:
        """Keep one bar."""

    def drop_history(self, slot: str) -> None:
        """Forget one bar."""

    def get_seen(self, slot: int) -> Part | None:
        """One second of the duplicates' log, or a chunk of it."""

    def put_seen(self, slot: int, part: Part) -> None:
        """Keep one second of the duplicates' log, or a chunk of it."""

    def drop_seen(self, slot: int) -> None:
        """Forget a chunk."""

    def clear(self) -> None:
        """Forget every part."""


class Hot:
    """The part that every record touches. All times are event times in ns unless the name says ms."""

    __slots__ = (
        "born_ns",
        "busy",
        "chunks",
        "clock_ns",
        "closed_ns",
        "delay_ms",
        "due_ns",
        "floor_ns",
        "layout",
        "log_1",
        "opens",
        "partition",
        "recent",
        "revise_at_ms",
        "run",
        "slots",
        "span_ns",
        "stale",
        "stretch",
        "timer_ms",
        "waiting",
    )

    def __init__(
        self,
        layout: str,
        run: int,
        partition: int,
        born_ns: int,
        clock_ns: int,
        floor_ns: int,
        closed_ns: int,
        delay_ms: int,
        due_ns: int,
        timer_ms: int,
        revise_at_ms: int,
        opens: dict[int, Partial],
        waiting: dict[int, Partial],
        slots: int,
        span_ns: int,
        stretch: int,
        recent: set[Identity],
        chunks: int,
        stale: int,
        busy: int,
        log_1: Part | None,
    ) -> None:
        self.layout = layout
        """Settings that are fixed for the life of a state, see `layout_of`."""
        self.run = run
        self.partition = partition
        """Where the symbol was first met; -2 once it was met in another one too."""
        self.born_ns = born_ns
        """The first tick counted."""
        self.clock_ns = clock_ns
        """The newest tick counted."""
        self.floor_ns = floor_ns
        """Nothing older can count any more; closed bars that end by then are folded for good."""
        self.closed_ns = closed_ns
        """A bar of any frame is closed when it ends by then."""
        self.delay_ms = delay_ms
        """How far the last record's timestamp was ahead of its newest event time."""
        self.due_ns = due_ns
        """The earliest end of an open bar of any frame, `NEVER` without one."""
        self.timer_ms = timer_ms
        """The pending event-time timer, 0 without one."""
        self.revise_at_ms = revise_at_ms
        """The pending processing-time timer for waiting ticks, 0 without one."""
        self.opens = opens
        """Minute start -> partial bar."""
        self.waiting = waiting
        """Minute start -> late ticks of closed minutes, merged, not yet applied."""
        self.slots = slots
        """How many slots the duplicates' log has, 0 before there is one."""
        self.span_ns = span_ns
        """How long a stretch of it is."""
        self.stretch = stretch
        """The clock's stretch, counted from 1970."""
        self.recent = recent
        """The log of its newest ticks."""
        self.chunks = chunks
        """How many chunks of it are in `seen`."""
        self.stale = stale
        """How many chunks an older stretch has left in its slot."""
        self.busy = busy
        """A bit for each slot that may hold chunks."""
        self.log_1 = log_1
        """The second, its ticks and the chunks by slot, as hot parts of version 1 had them; None once they are laid anew."""

    def part(self) -> Part:
        """What is kept."""
        return (
            HOT_VERSION,
            self.layout,
            self.run,
            self.partition,
            self.born_ns,
            self.clock_ns,
            self.floor_ns,
            self.closed_ns,
            self.delay_ms,
            self.due_ns,
            self.timer_ms,
            self.revise_at_ms,
            self.opens,
            self.waiting,
            self.slots,
            self.span_ns,
            self.stretch,
            self.recent,
            self.chunks,
            self.stale,
            self.busy,
            self.log_1,
        )


NEVER = 2**63 - 1
"""Later than any event time, in ns."""


def new_hot(layout: str, run: int, partition: int) -> Hot:
    """A symbol that has not been met yet."""
    return Hot(layout, run, partition, -1, -1, 0, 0, 0, NEVER, 0, 0, {}, {}, 0, 0, -1, set(), 0, 0, 0, None)


def read_hot(part: Part, layout: str) -> Hot:
    """The hot part as it was kept. Raises StateError when it was made with other fixed settings."""
    if part[0] != HOT_VERSION:
        part = upgraded("hot", part, HOT_VERSION)
    hot = Hot(*part[1:])
    if hot.layout != layout:
        raise StateError(
            f"the state was made with {_named(hot.layout)}, the configuration says {_named(layout)}: "
            "these are fixed for the life of a state; start without it (--fresh)"
        )
    return hot


def layout_of(scales: Scales) -> str:
    """What a state cannot change any more, as it is kept in it: scales and the alignment of frames."""
    return f"{scales.price_decimals}/{scales.size_decimals}/utc"


def _named(layout: str) -> str:
    price_decimals, size_decimals, alignment = layout.split("/")
    return f"ticks.price_decimals = {price_decimals}, ticks.size_decimals = {size_decimals}, frames aligned to {alignment}"


ClosedBar: TypeAlias = tuple[int, Partial, int, int]
"""A closed bar that can still be revised: start in ms, bar, revision last sent (-1 before the first), digest of what was sent."""


class FrameState(NamedTuple):
    """One frame of one symbol."""

    specs: str
    """Canonical specs in the order of the states, one a line."""
    since: tuple[int | None, ...]
    """Per spec: start of the first bar folded, for one added later."""
    base: States
    """Indicator states before the oldest bar of the ring."""
    head: States
    """Indicator states after its newest."""
    ring: tuple[ClosedBar, ...]
    """Closed bars that can still be revised, oldest first."""
    folded: int
    """How many bars have gone into history."""
    born_ns: int
    """A bar that starts by then may lack ticks."""
    run: int | None = None
    """What its bars are said under, when that is not the symbol's run: the frame was added later, and may be there for a second time."""


def read_frame(part: Part) -> FrameState:
    """A frame as it was kept."""
    if part[0] != FRAME_VERSION:
        part = upgraded("frame", part, FRAME_VERSION)
    return FrameState(*part[1:])


def frame_part(state: FrameState) -> Part:
    """What is kept of a frame."""
    return FRAME_VERSION, *state


class Partials(NamedTuple):
    """The open bars of the larger frames."""

    frames: tuple[str, ...]
    """Labels of the frames the symbol's bars are said in."""
    bars: dict[str, tuple[int, Partial]]
    """Label -> (start in ms, bar)."""


def read_partials(part: Part) -> Partials:
    """The partials as they were kept."""
    if part[0] != PARTIALS_VERSION:
        part = upgraded("partials", part, PARTIALS_VERSION)
    return Partials(*part[1:])


def partials_part(partials: Partials) -> Part:
    """What is kept of them."""
    return PARTIALS_VERSION, *partials


def upgraded(name: str, part: Part, version: int) -> Part:
    """`part` brought up to `version`. Raises StateError when it is newer, or its upgrade is missing."""
    while part[0] != version:
        upgrade = UPGRADES.get((name, part[0]))
        if upgrade is None:
            raise StateError(f"state part {name!r} is of version {part[0]}, this version of tickloom reads {version}")
        part = upgrade(part)
    return part
