"""What becomes of a dead letter that is to be sent again."""

import json
import sys

import pytest

from connectors.codec import DeadLetter, encode_dead_letter
from connectors.consumer import Record
from connectors.gateway.batch import Origin, kept_secret
from connectors.replay_notes import encode_replay_note
from jobs.dead_letter_box import Entry, list_letters
from jobs.dead_letter_replay import (
    EditFailed,
    Fate,
    Mender,
    Outcome,
    Selection,
    attempts_of,
    edit_by,
    replayed_before,
    selected,
    with_attempt,
)
from udfs.model import Reason, Scales

NOW_MS = 1_795_348_669_460
DAY_MS = 86_400_000


def tick(**fields: object) -> bytes:
    return json.dumps({"stock_id": "IBM", "price": 10.5, "size": 100, "event_time_ms": NOW_MS - 5 * DAY_MS, **fields}).encode()


def letter(original: bytes, reason: Reason = Reason.BAD_PRICE, **fields: object) -> DeadLetter:
    given = {"detail": "", "stage": "job", "received_ms": NOW_MS - DAY_MS, "topic": "stock_data", "partition": 0, "offset": 5, "line": 0}
    return DeadLetter(reason=reason, original=original, **{**given, **fields})


def entry(original: bytes, **fields: object) -> Entry:
    return Entry(0, 17, letter(original, **fields))


def fate(of: Entry, **rules: object) -> Fate:
    return Mender(Scales(), 5_000, **rules).fate(of, NOW_MS)  # type: ignore[arg-type]


def test_a_line_that_is_a_tick_now_is_sent_by_its_symbol_and_its_own_time() -> None:
    line = fate(entry(tick(stock_id="MSFT"), reason=Reason.KEY_MISMATCH)).line
    assert line is not None
    assert (line.letter_id, line.symbol, line.event_time_ms) == ("0:17", "MSFT", NOW_MS - 5 * DAY_MS)
    assert json.loads(line.value) == {**json.loads(tick(stock_id="MSFT")), "dlq_attempt": 1}


def test_a_line_that_would_be_refused_again_stays_with_its_reason() -> None:
    for original, why in ((b"nonsense", "bad_json"), (tick(price=-1), "bad_price"), (tick(event_time_ms=4_070_908_800_000), "future_time")):
        found = fate(entry(original))
        assert (found.outcome, found.line) == (Outcome.REFUSED, None)
        assert found.detail.startswith(why)


def test_a_time_that_was_ahead_is_taken_once_it_has_come() -> None:
    ahead = entry(tick(event_time_ms=NOW_MS + 60_000), reason=Reason.FUTURE_TIME)
    mender = Mender(Scales(), 5_000)
    assert mender.fate(ahead, NOW_MS).outcome is Outcome.REFUSED
    assert mender.fate(ahead, NOW_MS + 60_000).outcome is Outcome.SENT


def test_a_line_without_a_time_gets_that_of_its_first_coming() -> None:
    line = fate(entry(tick(event_time_ms=None))).line
    assert line is not None
    assert line.event_time_ms == NOW_MS - DAY_MS
    assert json.loads(line.value)["event_time_ms"] == NOW_MS - DAY_MS


def test_a_gateways_client_becomes_the_source_that_the_gateway_would_have_said() -> None:
    def source(original: bytes, client: str | None) -> object:
        line = fate(entry(original, stage="gateway", client=client)).line
        assert line is not None
        return json.loads(line.value).get("source")

    assert source(tick(), "feed-a") == "feed-a"
    assert source(tick(source="tape"), "feed-a") == "tape"
    assert source(tick(), "127.0.0.1:50412") is None
    assert source(tick(), None) is None


def test_what_was_not_kept_whole_is_never_sent() -> None:
    assert fate(entry(tick(), truncated=True, original_size=300_000)).outcome is Outcome.TRUNCATED
    secret = kept_secret(0, tick(), 20_000).letter(Origin("feed-a", "g1-1", "127.0.0.1"), NOW_MS)
    assert fate(Entry(0, 17, secret)).outcome is Outcome.NOT_KEPT


def test_none_circles_for_ever() -> None:
    text, sent = tick(), 0
    while (line := fate(entry(text, reason=Reason.LATE_TICK), max_attempts=3).line) is not None:
        text, sent = line.value, sent + 1  # late again: its dead letter keeps the line as it was sent
    assert sent == 3
    assert fate(entry(text)).detail == "sent again 3 times already"
    assert text.count(b"dlq_attempt") == 1


def test_the_count_survives_an_edit_that_drops_it() -> None:
    line = fate(entry(with_attempt(tick(price=-1), 2)), edit=lambda original: tick()).line
    assert line is not None
    assert attempts_of(line.value) == 3


@pytest.mark.parametrize("original", [b"x", b'{"dlq_attempt":"7"}', b'{"dlq_attempt":-7}', b"\xff", b"[" * 100_000])
def test_a_line_that_does_not_tell_its_count_was_never_sent(original: bytes) -> None:
    assert attempts_of(original) == 0


def test_a_line_is_mended_by_a_command() -> None:
    mend = edit_by(f"""{sys.executable} -c "import sys; sys.stdout.write(sys.stdin.read().replace('-10.5', '10.5'))" """)
    line = fate(entry(tick(price=-10.5)), edit=mend).line
    assert line is not None
    assert json.loads(line.value)["price"] == 10.5


def test_an_edit_may_leave_a_line_out_and_must_not_make_two() -> None:
    assert fate(entry(tick()), edit=lambda original: b"\n").outcome is Outcome.LEFT_OUT
    assert fate(entry(tick()), edit=lambda original: original + b"\n" + original).detail == "2 lines instead of one"


@pytest.mark.parametrize(("command", "why"), [("sh -c 'echo no >&2; exit 7'", "exit code 7: no"), ("/nowhere/jq .", "/nowhere/jq")])
def test_an_edit_that_fails_fails_for_its_letter_only(command: str, why: str) -> None:
    found = fate(entry(tick()), edit=edit_by(command))
    assert found.outcome is Outcome.EDIT_FAILED
    assert why in found.detail
    with pytest.raises(EditFailed):
        edit_by(command)(tick())


def record(offset: int, value: bytes | None) -> Record:
    return Record(0, offset, NOW_MS, None, value)


def test_letters_are_chosen_by_reason_time_and_id_and_once_only() -> None:
    letters = [
        letter(tick(seq=0)),
        letter(tick(seq=1), reason=Reason.BAD_SIZE),
        letter(tick(seq=2), received_ms=NOW_MS),
        letter(tick(seq=3)),
    ]
    records = [record(offset, encode_dead_letter(each)) for offset, each in enumerate(letters)]
    records += [record(4, b"no letter"), record(5, None), record(6, encode_replay_note(["0:3"], NOW_MS))]

    def chosen(selection: Selection) -> list[str]:
        return [each.id for each in selected(records, selection, replayed_before(records))]

    assert chosen(Selection()) == ["0:0", "0:1", "0:2"]
    assert chosen(Selection(reasons={Reason.BAD_SIZE})) == ["0:1"]
    assert chosen(Selection(since_ms=NOW_MS)) == ["0:2"]
    assert chosen(Selection(ids={"0:0", "0:3"})) == ["0:0"]
    listing = list_letters(records, (), 10)
    assert (len(listing.entries), listing.replayed, listing.unreadable) == (4, {"0:3"}, 2)
