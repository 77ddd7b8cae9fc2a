"""What the fuzzer starts from, and what it has found on the way, as ordinary tests."""

from pathlib import Path

import pytest

from tests.fuzz.laws import check

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_the_laws_of_streams_hold_for_the_corpus(file: Path) -> None:
    check(file.read_bytes())


def test_there_is_a_corpus() -> None:
    assert len(CORPUS) > 20
    assert max(file.stat().st_size for file in CORPUS) < 16_384
