"""Tick files: NDJSON as it is, CSV as lines whose numbers are the file's own, nothing lost."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from jobs.tick_files import FileLine, TickFile, TickFormat
from udfs.model import Reason

TICK = b'{"stock_id":"IBM","price":184.05,"size":100,"event_time_ms":1381152600123,"seq":17}'


def read(path: Path, form: TickFormat | None = None) -> list[FileLine]:
    return list(TickFile(path, form or TickFormat()).lines())


def csv_lines(folder: Path, text: str, columns: Mapping[str, str], **options: object) -> list[FileLine]:
    path = folder / "ticks.csv"
    path.write_text(text)
    return read(path, TickFormat(columns=columns, **options))  # type: ignore[arg-type]


def test_lines_of_json_are_kept_byte_for_byte(tmp_path: Path) -> None:
    odd = b'{ "symbol":"GCZ3", "price":1e1, "ts":"2013-10-07T09:30:00.5-04:00", "note":"\xc3\xa9" }'
    (tmp_path / "a.ndjson").write_bytes(TICK + b"\r\n\n" + odd)
    found = read(tmp_path / "a.ndjson")
    assert [line.line for line in found] == [TICK, odd]
    assert [(line.symbol, line.event_time_ms) for line in found] == [("IBM", 1381152600123), ("GCZ3", 1381152600500)]


def test_a_packed_file_reads_as_the_plain_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(TICK + b"\n" + TICK)
    (tmp_path / "b").write_bytes(gzip.compress(TICK + b"\n" + TICK))
    assert read(tmp_path / "a.ndjson") == read(tmp_path / "b")


def test_what_is_read_of_a_file_grows_to_its_size(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes((TICK + b"\n") * 1_000)
    file = TickFile(tmp_path / "a.ndjson", TickFormat())
    assert file.bytes_read == 0
    lines = file.lines()
    next(lines)
    assert 0 < file.bytes_read <= file.size
    assert len(list(lines)) == 999
    assert file.bytes_read == file.size == 1_000 * (len(TICK) + 1)


def test_bad_lines_stay_in_their_place_with_the_reason(tmp_path: Path) -> None:
    bad = [b'{"stock_id":"IBM","pri', b"\xff\xfe", b'{"stock_id":"IBM","price":-1}', b'{"price":1}', b"[]"]
    (tmp_path / "a.ndjson").write_bytes(b"\n".join([TICK, *bad, TICK]))
    found = read(tmp_path / "a.ndjson", TickFormat(symbol="GIVEN"))
    assert [line.line for line in found] == [TICK, *bad, TICK]
    assert [line.refused and line.refused.reason for line in found[1:-1]] == [
        Reason.BAD_JSON,
        Reason.BAD_UTF8,
        Reason.BAD_PRICE,
        Reason.MISSING_FIELD,
        Reason.NOT_OBJECT,
    ]
    assert [line.symbol for line in found[1:-1]] == ["GIVEN", "GIVEN", "IBM", "GIVEN", "GIVEN"]
    assert {line.event_time_ms for line in found} == {1381152600123}


def test_columns_are_mapped_and_joined(tmp_path: Path) -> None:
    text = "Ticker,Date,Time,Last,Qty\nIBM,2013-10-07,09:30:00.123,184.05,100\n"
    columns = {"stock_id": "Ticker", "price": "Last", "timestamp": "Date+Time", "size": "Qty"}
    (line,) = csv_lines(tmp_path, text, columns, zone=ZoneInfo("America/New_York"))
    assert json.loads(line.line) == {"stock_id": "IBM", "price": 184.05, "size": 100, "event_time_ms": 1381152600123}
    assert (line.symbol, line.event_time_ms, line.refused) == ("IBM", 1381152600123, None)


def test_columns_with_usual_names_need_no_mapping(tmp_path: Path) -> None:
    (line,) = csv_lines(tmp_path, "Symbol;Price;Volume;Timestamp;Seq\nIBM;184.05;100;1381152600123;7\n", {})
    assert json.loads(line.line) == {"stock_id": "IBM", "price": 184.05, "size": 100, "event_time_ms": 1381152600123, "seq": 7}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("184.050", b"184.050"),
        ("0.1000000000000000055511151231257827", b"0.1000000000000000055511151231257827"),
        ("1e3", b"1e3"),
        (".5", b"0.5"),
        ("+12.50", b"12.50"),
        ("007", b"7"),
        ("12,5", b'"12,5"'),
        ("NaN", b'"NaN"'),
        ("n/a", b'"n/a"'),
    ],
)
def test_numbers_are_written_as_the_file_has_them(tmp_path: Path, text: str, written: bytes) -> None:
    (line,) = csv_lines(tmp_path, f'price\ttimestamp\n"{text}"\t1381152600123\n', {}, symbol="IBM")
    assert b'"price":' + written + b"," in line.line


def test_time_below_a_millisecond_is_kept(tmp_path: Path) -> None:
    (line,) = csv_lines(tmp_path, "price,timestamp\n1,2013-10-07T13:30:00.123456789Z\n", {}, symbol="IBM")
    assert json.loads(line.line)["timestamp"] == 1381152600123456789
    assert line.event_time_ms == 1381152600123


def test_a_row_that_is_no_tick_is_sent_with_what_it_said(tmp_path: Path) -> None:
    found = csv_lines(tmp_path, "price,timestamp\n1,1381152600123\n2,lunch\nabc,1381152600124\n", {}, symbol="IBM")
    assert [line.refused and line.refused.reason for line in found] == [None, Reason.BAD_TIME, Reason.BAD_TYPE]
    assert b"lunch" in found[1].line
    assert b'"abc"' in found[2].line


@pytest.mark.parametrize(
    ("header", "columns", "complaint"),
    [
        ("Ticker,Last,When", {"stock_id": "Ticker", "price": "Lats"}, "no column 'Lats'; the columns are: Ticker, Last, When"),
        ("Ticker,Last", {"stock_id": "Ticker", "prize": "Last"}, "no field 'prize'"),
        ("Last,timestamp", {"price": "Last"}, "no column is named for stock_id"),
    ],
)
def test_columns_that_are_not_there_are_named(tmp_path: Path, header: str, columns: Mapping[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        csv_lines(tmp_path, header + "\n", columns)
