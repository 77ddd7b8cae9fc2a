"""docs/reference/http.md, out of the same operations as OpenAPI: `python -m tests.docs.make_http` writes it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.delivery.http.openapi import openapi_document
from connectors.delivery.http.parameters import Offer
from connectors.delivery.http.schemas import RECORDS
from jobs.config_load import load_config
from udfs.frames import parse_frames
from udfs.indicators.descriptions import describe

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"
GROUPS = {
    "v1": "Bars, and what there is",
    "udf": "TradingView's UDF protocol",
    "process": "The process, and its descriptions",
}
CODES = {
    "bad_NAME": (400, "the parameter NAME is missing or cannot be taken"),
    "bad_range": (400, "`end` is before `start`"),
    "unknown_parameter": (400, "there is no such parameter here"),
    "repeated_parameter": (400, "a parameter is there twice; lists are separated by commas"),
    "unknown_time_frame": (400, "the time frame is none, or not configured (`bars.time_frames`)"),
    "unknown_indicator": (400, "no indicator has this label (`indicators`)"),
    "unauthorized": (401, "a key that may read is needed"),
    "scope": (403, "a key with the scope `admin` is needed"),
    "foreign_host": (403, "the request names a host that is not ours (`delivery.advertise`)"),
    "foreign_origin": (403, "a page of another origin asks (`delivery.allowed_origins`)"),
    "not_found": (404, "there is nothing at this path"),
    "method_not_allowed": (405, "the path is there, but not for this method; `Allow` names those it takes"),
    "too_large": (413, "the body is larger than any that is expected"),
    "unsupported_media_type": (415, "the log-in takes a form"),
    "too_many_requests": (429, "too many requests wait for the store"),
    "too_many_connections": (429, "there are `delivery.max_connections` clients"),
    "too_many_attempts": (429, "too many wrong keys came from this address"),
    "internal": (500, "a fault of ours; the log says more"),
    "store_unusable": (503, "the store cannot be read (disk, permissions)"),
}
"""Code -> status, and when. `bad_NAME` stands for one code a parameter."""

HEAD = f"""\
# HTTP

<!-- made by `python -m tests.docs.make_http`; a test compares -->

`tickloom delivery` serves this beside the WebSocket and the page, at `http://127.0.0.1:8080` (`delivery.listen`). `/openapi.json`
describes it for programs (OpenAPI 3.1), `/asyncapi.json` the WebSocket and the topics (AsyncAPI 3.0); both are made from the types that
encode and decode the records, and so are the JSON Schemas: {", ".join(f"`/schemas/{name}.json`" for name in RECORDS)}.

```sh
curl -s 'http://127.0.0.1:8080/v1/bars?symbols=AAPL,MSFT&time_frame=5min&limit=100&indicators=RSI,MACD'
curl -s 'http://127.0.0.1:8080/v1/bars?symbols=AAPL&time_frame=1min&start=2026-11-22T09:30:00Z&end=2026-11-22T16:00:00Z&format=csv'
curl -sN 'http://127.0.0.1:8080/v1/stream?symbols=*&time_frames=1min&mode=final'
curl -s -H 'Authorization: Bearer KEY' 'http://127.0.0.1:8080/v1/symbols?query=aa'
```

## What holds for all of it

- **Strict.** A parameter nobody knows, one that is there twice, a time that is none: 400, with a stable `code` and the `parameter` named.
  UDF alone passes over what it does not know, as its clients expect, and says what is wrong in its own words:
  `{{"s":"error","errmsg":".."}}`.
- **Times** are whole epoch milliseconds or RFC 3339 with an offset (write `+` as `%2B`). `start` is inclusive, `end` exclusive; both are
  about the start of a bar.
- **Symbols** nobody has heard of are no error: `/v1/bars` has an empty list for them, as for every symbol asked for that has no bars in
  the range. An unknown time frame or indicator is one (400): both are configured, so it is a slip.
- **Records** come with every byte they have in the topic: [what a bar means](../explanation/meaning.md). With `indicators`, `results` and
  `since` hold only those.
- **Pages.** With `start` or `end`, `limit` counts the rows of a page in all, symbol after symbol in the order asked for; `next_page_token`,
  or the header `Link` with `rel="next"`, leads on, and is the only way for CSV and NDJSON. Without both, the newest `limit` bars of each
  symbol come, at most 10,000 in all, in one page. `include_forming` adds the forming bar, where there is one in the range, to its page.
- **Caching.** `ETag` is on the answers that have 304 among theirs below, and on the files of the page; `If-None-Match` gets 304 while it
  holds. The others, how things stand just now and errors, have none. `Cache-Control` of bars is `immutable` (for a day: a job that begins
  anew may say otherwise) when the last bar of the range ended so long ago that a tick for it would come too late (`bars.allowed_lateness`)
  for every symbol asked for, by the newest bars of their shortest time frame; else `no-cache`: ask again with the tag.
- **gzip** for those who accept it, from 1 KiB on.
- **CSV** has a column for each field of a record but `results` and `since`, then one for each indicator or each of its outputs (`RSI`,
  `MACD.signal`); `null` is empty.
- **Too much at once** is 429 with `Retry-After`; asked again then, it works.

## Errors

Problem documents (RFC 9457, `application/problem+json`): `type` is `about:blank`, `title` the status in words, `detail` for people,
`code` for programs, `parameter` where it is one.

| code | status | when |
|---|---|---|
{{codes}}

"""
STREAM = """\
`data` of an event is an array of messages as a frame of `/v1/ws` has them; its `id` is `CONN:MSG_SEQ` of the last one that is numbered. A
browser that comes again says it as `Last-Event-ID`, and goes on behind that message when it comes within `delivery.resume_window`: no
final is missing, none comes twice. When that is not possible any more, a message `error` says so (410) and the stream begins anew. A
client that does not read is cut, as on the WebSocket.
"""
UDF = """\
For TradingView's charting library and whatever else speaks UDF: `new Datafeeds.UDFCompatibleDatafeed("http://127.0.0.1:8080/udf")`. Every
value of an indicator is a symbol of its own: `AAPL#RSI`, `AAPL#MACD.signal`; a search with a `#` finds them. Times are seconds, and a
daily bar is at 00:00 UTC of its date. A bar that is forming is the last one; bars without prices are left out.
"""


def page() -> str:
    """The page as it should be."""
    config = load_config(None, {}, Path("/"), {})
    offer = Offer(parse_frames(config.bars.time_frames), describe(config.indicators), config.delivery.max_symbols)
    document = openapi_document("", offer, with_keys=True)
    rows = "\n".join(f"| `{code}` | {status} | {when} |" for code, (status, when) in CODES.items())
    parts = [HEAD.replace("{codes}", rows)]
    for group, title in GROUPS.items():
        parts.append(f"## {title}\n\n{UDF + chr(10) if group == 'udf' else ''}")
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if group in operation["tags"]:
                    parts.append("\n".join(_operation(path, method, operation)))
    return "".join(parts).rstrip() + "\n"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {method.upper()} {path}", "", operation["summary"], "")
    if operation["operationId"] == "stream":
        yield STREAM
    if parameters := operation.get("parameters"):
        yield from ("| parameter | takes | default | |", "|---|---|---|---|")
        yield from (_parameter(each) for each in parameters)
        yield ""
    if form := operation.get("requestBody"):
        fields = form["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
        yield from ("Takes a form: " + "; ".join(f"`{name}`, {each['description']}" for name, each in fields.items()), "")
    answers = [f"`{kind}`{_named(body['schema'])}" for kind, body in operation["responses"].get("200", {}).get("content", {}).items()]
    statuses = ", ".join(str(status) for status in sorted(map(int, operation["responses"])))
    needs = "" if operation["security"] else " Needs no key."
    yield from (f"Answers {' or '.join(answers) + ' ' if answers else ''}with {statuses}.{needs}", "", "")


def _named(schema: Mapping[str, Any]) -> str:
    """The types of an answer, as `/openapi.json` calls them."""
    every = schema.get("oneOf", [schema])
    names = [str(each["$ref"]).rpartition("/")[2] for each in every if "$ref" in each]
    return f" ({', '.join(names)})" if names else ""


def _parameter(parameter: Mapping[str, Any]) -> str:
    schema = parameter["schema"]
    default = f"`{_text(schema['default'])}`" if schema.get("default", "") != "" else "required" if parameter["required"] else ""
    return f"| `{parameter['name']}` | {_takes(schema)} | {default} | {parameter.get('description', '')} |"


def _takes(schema: Mapping[str, Any]) -> str:
    if "oneOf" in schema:
        return " or ".join(_takes(each) for each in schema["oneOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema["type"] == "array":
        most = f"up to {schema['maxItems']:,} " if "maxItems" in schema else ""
        return f"{most}of {_takes(schema['items'])}" if "enum" in schema["items"] else f"{most}symbols"
    if "enum" in schema:
        return ", ".join(f"`{_text(each)}`" for each in schema["enum"])
    if schema["type"] in ("integer", "number") and "default" in schema:
        return f"{schema['minimum']:,} to {schema['maximum']:,}"
    if schema["type"] == "boolean":
        return "`true`, `false`"
    if schema.get("format") == "date-time":
        return "RFC 3339"
    return {"integer": "an integer", "number": f"{schema.get('minimum', '')} to {schema.get('maximum', '')}", "string": "text"}[
        schema["type"]
    ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
