import pytest

from connectors.codec import DeadLetter, decode_dead_letter, encode_dead_letter
from connectors.errors import DecodeError
from connectors.replay_notes import decode_replay_note, encode_replay_note, is_replay_note
from udfs.model import Reason


def test_a_note_says_which_letters_were_sent_again_and_when() -> None:
    value = encode_replay_note(["0:17", "0:18"], 5)
    assert value == b'{"replayed":["0:17","0:18"],"replayed_ms":5}'
    note = decode_replay_note(value)
    assert (note.replayed, note.replayed_ms) == (("0:17", "0:18"), 5)


def test_notes_and_dead_letters_are_told_apart() -> None:
    note = encode_replay_note(["0:17"], 5)
    letter = encode_dead_letter(DeadLetter(reason=Reason.BAD_JSON, detail="", stage="job", received_ms=5, original=note))
    assert (is_replay_note(note), is_replay_note(letter)) == (True, False)
    with pytest.raises(DecodeError):
        decode_dead_letter(note)
    with pytest.raises(DecodeError):
        decode_replay_note(letter)
