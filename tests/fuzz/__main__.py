"""Looks for streams that break a law of `tests/fuzz/laws.py`, guided by coverage: `make fuzz`, or `python -m tests.fuzz [SECONDS]`.

It starts from the files of `corpus/`: written by hand, and a few (`found-`) that reached lines of code those did not. What it
finds on the way is kept in `.fuzz/found`. A stream that breaks a law is left in `.fuzz`, and belongs into `corpus/` once it is
understood: `tests/fuzz/test_corpus.py` runs those.
Any argument of libFuzzer may follow the seconds, such as `-seed=1`.
"""

import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
FOUND = HERE.parents[1] / ".fuzz" / "found"
SECONDS = "600"
MAX_BYTES = 1_024

with atheris.instrument_imports(include=["connectors", "udfs"]):
    from tests.fuzz.laws import check


def main(seconds: str = SECONDS, *more: str) -> None:
    """Look for `seconds`; the process ends with another code than 0 when a law is broken."""
    FOUND.mkdir(parents=True, exist_ok=True)
    settings = (f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", f"-dict={HERE / 'tokens.dict'}", f"-artifact_prefix={FOUND.parent}/")
    atheris.Setup([sys.argv[0], *settings, "-print_final_stats=1", *more, str(FOUND), str(HERE / "corpus")], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
