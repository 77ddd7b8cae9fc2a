"""Every HTTP operation with its parameters and the types it answers with: OpenAPI and the reference are made from this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.delivery.http.answers import BarsAnswer, IndicatorsAnswer, LatestAnswer, SymbolsAnswer, TimeFramesAnswer
from connectors.delivery.http.bars_query import BARS_PARAMETERS, LATEST_PARAMETERS
from connectors.delivery.http.catalog import SYMBOLS_PARAMETERS
from connectors.delivery.http.parameters import Parameter
from connectors.delivery.http.stream_query import STREAM_PARAMETERS
from connectors.delivery.pipeline.answers import (
    DeadLettersAnswer,
    HealthAnswer,
    ReadyAnswer,
    ServicesAnswer,
    SessionAnswer,
    StatusAnswer,
)
from connectors.delivery.pipeline.dead_letters_query import DEAD_LETTERS_PARAMETERS
from connectors.delivery.udf.answers import UdfBars, UdfConfig, UdfError, UdfFound, UdfNoData, UdfSymbol
from connectors.delivery.udf.routes import HISTORY_PARAMETERS, SEARCH_PARAMETERS, SYMBOL

JSON = "application/json"
TEXT = "text/plain"
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for."""

    path: str
    name: str
    """Unique among all; what generated clients call it."""
    about: str
    answers: Mapping[str, tuple[Any, ...]]
    """Content type -> the types of its bodies; none where it is text of its own format."""
    parameters: tuple[Parameter, ...] = ()
    method: str = "get"
    problems: Mapping[int, str] = field(default_factory=dict)
    """Status -> when it comes; a wrong parameter (400) and a store that is busy or broken (429, 503) are understood."""
    is_open: bool = False
    """Whether it needs no key where keys are asked for."""
    reads_store: bool = False
    has_etag: bool = False
    form: Mapping[str, str] = field(default_factory=dict)
    """Fields of the form that is sent, and what they are."""
    success: int = 200
    may_be_unready: bool = False
    """Whether the answer may come with the status 503."""
    in_udf: bool = False
    """Whether what is wrong is said in the words of UDF."""


OPERATIONS = (
    Operation(
        "/v1/bars",
        "bars",
        "Bars of some symbols in one time frame, with their indicators.",
        {JSON: (BarsAnswer,), "text/csv": (), "application/x-ndjson": ()},
        BARS_PARAMETERS,
        reads_store=True,
        has_etag=True,
    ),
    Operation(
        "/v1/bars/latest",
        "latestBars",
        "The newest bar of each symbol in each time frame asked for.",
        {JSON: (LatestAnswer,)},
        LATEST_PARAMETERS,
        reads_store=True,
        has_etag=True,
    ),
    Operation(
        "/v1/symbols",
        "symbols",
        "Symbols of which there are bars.",
        {JSON: (SymbolsAnswer,)},
        SYMBOLS_PARAMETERS,
        reads_store=True,
        has_etag=True,
    ),
    Operation("/v1/indicators", "indicators", "The configured indicators.", {JSON: (IndicatorsAnswer,)}, has_etag=True),
    Operation("/v1/time-frames", "timeFrames", "The configured time frames.", {JSON: (TimeFramesAnswer,)}, has_etag=True),
    Operation(
        "/v1/stream",
        "stream",
        "Bars as they come, as server-sent events. `data` of each is an array of messages as on `/v1/ws`; `Last-Event-ID` resumes.",
        {EVENTS: ()},
        STREAM_PARAMETERS,
        problems={429: "There are too many clients."},
    ),
    Operation("/v1/status", "status", "How this delivery and the job stand.", {JSON: (StatusAnswer,)}),
    Operation("/v1/services", "services", "Every service of the registry.", {JSON: (ServicesAnswer,)}),
    Operation(
        "/v1/dead-letters",
        "deadLetters",
        "The newest lines that did not count, and how many of each reason. Needs the scope `admin`.",
        {JSON: (DeadLettersAnswer,)},
        DEAD_LETTERS_PARAMETERS,
        problems={403: "The key has not the scope `admin`."},
    ),
    Operation("/v1/session", "session", "Who asks, and what that lets them do.", {JSON: (SessionAnswer,)}),
    Operation(
        "/login",
        "login",
        "Log in: the answer sets a cookie that stands for the key.",
        {},
        method="post",
        form={"key": "An API key that may read."},
        success=204,
        problems={
            401: "The key is not known, or may not read.",
            413: "The form is too large.",
            415: "It is no form.",
            429: "Too many wrong keys came from this address.",
        },
        is_open=True,
    ),
    Operation("/logout", "logout", "Log out: the cookie stands for nothing any more.", {}, method="post", success=204, is_open=True),
    Operation("/udf/config", "udfConfig", "UDF: what the datafeed can do.", {JSON: (UdfConfig,)}, has_etag=True, in_udf=True),
    Operation(
        "/udf/symbols",
        "udfSymbols",
        "UDF: how a symbol is drawn; an indicator's value is a symbol too.",
        {JSON: (UdfSymbol, UdfError)},
        (SYMBOL,),
        reads_store=True,
        has_etag=True,
        in_udf=True,
    ),
    Operation(
        "/udf/search",
        "udfSearch",
        "UDF: symbols by a part of their name.",
        {JSON: (list[UdfFound],)},
        SEARCH_PARAMETERS,
        reads_store=True,
        has_etag=True,
        in_udf=True,
    ),
    Operation(
        "/udf/history",
        "udfHistory",
        "UDF: bars as columns.",
        {JSON: (UdfBars, UdfNoData, UdfError)},
        HISTORY_PARAMETERS,
        reads_store=True,
        has_etag=True,
        in_udf=True,
    ),
    Operation("/udf/time", "udfTime", "UDF: the clock, in seconds since the epoch.", {TEXT: ()}),
    Operation("/metrics", "metrics", "Metrics in the text format of Prometheus.", {TEXT: ()}),
    Operation("/healthz", "healthz", "Whether the process answers.", {JSON: (HealthAnswer,)}, is_open=True),
    Operation(
        "/readyz",
        "readyz",
        "Whether clients may be sent here; with the status 503 they may not.",
        {JSON: (ReadyAnswer,)},
        is_open=True,
        may_be_unready=True,
    ),
    Operation("/openapi.json", "openapi", "This description.", {JSON: (dict[str, Any],)}, is_open=True, has_etag=True),
    Operation("/asyncapi.json", "asyncapi", "The WebSocket and the topics.", {JSON: (dict[str, Any],)}, is_open=True, has_etag=True),
    Operation(
        "/schemas/{name}.json",
        "schema",
        "The JSON Schema of a record or message.",
        {JSON: (dict[str, Any],)},
        problems={404: "There is no such schema."},
        is_open=True,
        has_etag=True,
    ),
)
