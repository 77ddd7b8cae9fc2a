"""docs/reference/websocket.md, a row for each of `ErrorCode`: `python -m tests.docs.make_websocket` writes it."""

from pathlib import Path

from connectors.delivery.live.limits import Limits
from connectors.delivery.live.messages import STATUS, ErrorCode

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "websocket.md"
MEANS = {
    ErrorCode.BAD_MESSAGE: "no JSON, or a field that is missing or of another type; `detail` says where",
    ErrorCode.NOT_AUTHENTICATED: "a key is needed first",
    ErrorCode.AUTH_FAILED: "not a key that may read; the connection ends (1008)",
    ErrorCode.KEY_REVOKED: "the key was taken back, or the log-in has ended (1008)",
    ErrorCode.ALREADY_AUTHENTICATED: "a key was shown before",
    ErrorCode.AUTH_TIMEOUT: "no key within `delivery.auth_timeout` (1008)",
    ErrorCode.SYMBOL_LIMIT: "this symbol is one too many: `delivery.max_symbols`; `*` is not counted",
    ErrorCode.CONNECTION_LIMIT: "one client too many: `delivery.max_connections` (1013)",
    ErrorCode.SLOW_CLIENT: "what waits is older than `delivery.slow_after`, or more than `delivery.outbox_events` or `outbox_bytes` (1013)",
    ErrorCode.BAD_SYMBOL: "not 1 to 64 characters of `A-Za-z0-9._:/=^+-`",
    ErrorCode.BAD_TIME_FRAME: "no time frame, or one of which there are no bars",
    ErrorCode.TOO_MANY_RATES: f"more than {Limits().max_rates} different `max_hz` at a time",
    ErrorCode.SNAPSHOT_TOO_LARGE: "snapshots of more bars than `delivery.max_snapshot_rows`; nothing of the message was subscribed",
    ErrorCode.RESUME_REFUSED: "that connection is not kept any more, or not so far back: subscribe again, here",
    ErrorCode.RESUMED_ELSEWHERE: "another connection has resumed this one (1001)",
    ErrorCode.INVALID_ACTION: "an `op` that is none",
    ErrorCode.TOO_MANY_MESSAGES: "more than `delivery.messages_per_second`, after a burst of twice as many (1008)",
    ErrorCode.SNAPSHOT_FAILED: "the store could not be read (1011)",
}
HEAD = """\
# WebSocket

<!-- made by `python -m tests.docs.make_websocket`; a test compares -->

`/v1/ws` of a [delivery](../how-to/deliver-results.md): a client says what it wants, one JSON object a message; the server sends arrays of
objects, each told by its `T`. `/asyncapi.json` describes every message for programs; `/v1/stream` sends the same arrays as server-sent
events, for those who only listen.

```
C> {"op":"auth","id":1,"key":"..."}                                   where a key is needed and did not come in the header
C> {"op":"subscribe","id":2,"channels":[{"channel":"bars","symbols":["AAPL"],"time_frames":["1min","5min"],"snapshot":300}]}
C> {"op":"unsubscribe","id":3,"channels":[{"channel":"bars","symbols":["AAPL"],"time_frames":["5min"]}]}    without channels: all
C> {"op":"list","id":4}   {"op":"ping","id":5}
C> {"op":"resume","id":6,"conn":"d1-7-k3J...","msg_seq":90121}
S> [{"T":"welcome","conn":"d1-8-x0f...","heartbeat_ms":1000,"limits":{"symbols":1024,"msg_s":10,"snapshot_rows":10000},"v":1}]
S> [{"T":"ack","id":2,"subscribed":[..],"rejected":[{"code":"symbol_limit","status":405,"stock_id":"ZZZ"}],"snapshots":2}]
S> [{"T":"snapshot","msg_seq":1,"channel":"bars","stock_id":"AAPL","time_frame":"1min","bars":[..],"done":true}]
S> [{"T":"bar","msg_seq":3,"conflated":2,"stock_id":"AAPL","time_frame":"1min","status":"forming",..}, {"T":"bar","msg_seq":4,..}]
S> [{"T":"hb","msg_seq":4,"now_ms":..,"newest_end_ms":..,"lag_ms":180}]
S> [{"T":"status","state":"degraded","reason":"kafka_unreachable"}]   [{"T":"bye","code":"shutdown","retry_ms":800}]
```

## What can be relied on

- **A record comes as it is in its topic**, with `T`, `msg_seq` and, where some were passed over for it, `conflated` before it. With
  `indicators` only those labels are in `results` and `since`; `[]` is none of them.
- **Finals and revisions are never passed over**, and come in the order of the topic. Forming bars are: at most the newest of a series
  waits, and goes out at once or, where one went out before, no more often than `max_hz` (10 unless said). `mode` is `live`, `final`
  (nothing forming), or `latest`: the newest bar of each series only, a final passed over for a newer bar as well.
- **Forming never comes after its final**, be that an update or in a snapshot, nor an older state of the symbol after a newer one.
- **A snapshot and what follows it join exactly**: `snapshot` bars of a series come first (in several messages when they are large; the
  last says `done`), then every final the store did not have when it was read, and none it had. `ack.snapshots` says for how many series
  one will come, each counted once; with `*` these are the series in the store by then, and of others every final comes.
- **One series, one want.** A series subscribed again is sent as the later message says. A symbol named goes before `*`, and falls back
  to it when it is unsubscribed. A record goes to a client at most once.
- **`msg_seq` is one more with each `bar` and `snapshot`**, on a connection and on those that resume it. Other messages have none; `hb`
  repeats the number given last.

## Cut, and back

A client that comes back within `delivery.resume_window` sends `resume`, first, with the `conn` of its first connection and the last
`msg_seq` it has seen. The answer repeats `conn`; then come the finals it missed, numbered on from there, and what is forming now. It works
as often as needed, also while the server still believes in the old connection (that one is closed). It is refused with 410, and the
connection stays good for a new `subscribe`, when the client stayed away too long, was cut before all snapshots it had asked for were
there, has missed more finals than are kept, shows another key, or said goodbye itself (close code 1000). No more clients are waited for
than may be there (`delivery.max_connections`). Several deliveries do not know each other's connections.

What is sent to one client waits in a place of its own: one that does not read is cut, with what it missed still bounded, and slows
nobody.

## Close codes

| code | when |
|---|---|
| 1000 | the client said goodbye |
| 1001 | the delivery stops (`bye`), or another connection has resumed this one |
| 1002, 1007 | no WebSocket, no UTF-8 |
| 1008 | no key, a wrong or revoked one, or too many messages |
| 1009 | a message above 64 KiB |
| 1011 | the store could not be read, or something went wrong that nobody foresaw (the log says what) |
| 1012 | the topic was made anew (`bye`, `restart`): what was sent does not hold any more |
| 1013 | too slow, or too many clients |

## Errors

`{"T":"error","code":"..","status":..,"detail":"..","id":..}`; in `ack.rejected`, `code` and `status` alike. `id` is that of the message at
fault. Without a close code in brackets the connection goes on. The numbers are Alpaca's where it has one; 429 is HTTP's.

| code | status | meaning |
|---|---|---|
"""


def page() -> str:
    """The page as it should be; a code without a meaning is an error."""
    return HEAD + "".join(f"| `{code}` | {STATUS[code]} | {MEANS[code]} |\n" for code in ErrorCode)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
