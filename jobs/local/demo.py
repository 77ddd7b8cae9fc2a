"""The demo: the whole stack with a simulated exchange, and what a person sees of it while it runs."""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from connectors.errors import ConnectorError
from jobs.config import Config
from jobs.exposure import charts_line
from jobs.feed import Clock
from jobs.local.parts import Part, PartState, PartStatus
from jobs.local.running import supervise
from jobs.local.stack import CommandLine, Say, serves_charts, stack_parts
from jobs.result_stream import ResultStream, Wanted
from jobs.tail import LiveTable

_SAY_EVERY_MS = 5_000
_BATCH = 50
_MARKS = {PartState.RUNNING: ("●", "green"), PartState.STOPPED: ("○", "dim"), PartState.STOPPING: ("◌", "yellow")}


def run_demo(config: Config, command_line: CommandLine, environ: Mapping[str, str], clock: Clock, simulation: Sequence[str]) -> None:
    """Run stack and exchange until Ctrl-C or SIGTERM, showing a live table on a terminal and a line now and then elsewhere.

    `simulation` are options of `tickloom simulate`.
    """
    with _view(config, clock) as view:
        supervise(config, demo_parts(config, command_line, environ, view.say, simulation), view.watch)


def demo_parts(config: Config, command_line: CommandLine, environ: Mapping[str, str], say: Say, simulation: Sequence[str]) -> list[Part]:
    """The stack's parts, the exchange right before the job: it writes its history while that still starts.

    It feeds through the gateway, as any feed would, where it needs no key and no certificate.
    """
    open_to_it = config.runs_gateway and config.gateway.auth != "keys" and config.gateway.tls_cert is None
    way = ("--via", "gateway") if open_to_it else ()
    exchange = Part("exchange", command_line("simulate", *way, *simulation), environ, ready=lambda: True)
    *others, job = stack_parts(config, command_line, environ, say)
    return [*others, exchange, job]


def _view(config: Config, clock: Clock) -> "DemoView":
    console = Console()
    return TerminalView(config, clock, console) if sys.stdout.isatty() else DemoView(config, clock, console)


class DemoView:
    """What is shown where stdout is no terminal: a line when a part changes its state, and one on the bars each 5 s."""

    def __init__(self, config: Config, clock: Clock, console: Console) -> None:
        self.table = LiveTable(title=f"tickloom demo · {config.stack.name}")
        self.clock = clock
        self.console = console
        self._config = config
        self._stream: ResultStream | None = None
        self._said: dict[str, PartState] = {}
        self._say_at_ms = 0

    def __enter__(self) -> "DemoView":
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    def watch(self, parts: Sequence[PartStatus]) -> None:
        """Take what has come in and show it; called ten times a second."""
        self._follow(parts)
        self.show(parts)

    def show(self, parts: Sequence[PartStatus]) -> None:
        """Show the state of things."""
        for part in parts:
            if part.state is not PartState.WAITING and self._said.get(part.name) is not part.state:
                self._said[part.name] = part.state
                self.console.print(f"{part.name:<10} {part.state:<10} {part.address}".rstrip(), highlight=False)
                if serves_charts(part):
                    self.console.print(charts_line(self._config), highlight=False, soft_wrap=True)
        now_ms = self.clock.now_ms()
        if self.table.symbols_seen and now_ms >= self._say_at_ms:
            self._say_at_ms = now_ms + _SAY_EVERY_MS
            self.console.print(self.summary(), highlight=False)

    def say(self, message: str) -> None:
        """Show a line once, whatever else is shown."""
        self.console.print(message, highlight=False, soft_wrap=True)

    def summary(self) -> str:
        """How many symbols are there, and how many indicators still have no value."""
        nulls = self.table.nulls()
        waiting = ", ".join(f"{frame} {count:,}" for frame, count in nulls.items() if count)
        values = f"no value yet: {waiting or 'none'}" if self.table.bars.with_closed else "no bar has closed yet"
        return f"{self.table.symbols_seen:,} symbols, {len(nulls)} time frames, {values}"

    def _follow(self, parts: Sequence[PartStatus]) -> None:
        """Read the results while the job runs; the broker may be away for a while."""
        running = {part.name for part in parts if part.state is PartState.RUNNING}
        if "job" not in running:
            return
        try:
            if self._stream is None:
                self._stream = ResultStream(self._config.kafka_connection(), Wanted(), "lately")
            for _ in range(_BATCH):
                received = self._stream.read(0)
                for each in received:
                    self.table.update(each.result)
                if not received:
                    break
        except ConnectorError:  # the supervisor brings back what is away; a view must not end the stack
            self._close()

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class TerminalView(DemoView):
    """What is shown on a terminal: a live table, and a line on the parts below it."""

    def __init__(self, config: Config, clock: Clock, console: Console) -> None:
        super().__init__(config, clock, console)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> "TerminalView":
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()
        super().__exit__(*exception)

    def show(self, parts: Sequence[PartStatus]) -> None:
        """Draw table and parts anew."""
        line = Text("  ").join(_part_text(part) for part in parts)
        hint = Text("Ctrl-C stops everything; the next start goes on from here", "dim")
        shown = self.table.render(self.clock.now_ms()) if self.table.symbols_seen else Text("starting …", "dim")
        charts = [Text(charts_line(self._config), "bold cyan")] if any(map(serves_charts, parts)) else []
        self._live.update(Group(shown, *charts, line, hint), refresh=True)


def _part_text(part: PartStatus) -> Text:
    mark, style = _MARKS.get(part.state, ("◌", "yellow"))
    return Text.assemble((f"{mark} ", style), part.name, (f" {part.state}", "dim"))
