"""Write golden CSVs: `python -m tests.udfs.indicators.make_golden NAME...` (all of the registry without a NAME).

The answers come from TA-Lib, never from our own code. For an indicator without a parity line the output columns are left
empty: fill them in from a source of your own (a spreadsheet, the paper, another library) and name it in golden/README.md.
"""

import sys

from tests.udfs.indicators import goldens
from tests.udfs.indicators.oracles import PARITY, values_of
from udfs.indicators import INDICATORS
from udfs.indicators.base import Step
from udfs.indicators.samples import random_walk

ROWS_AFTER_WARM_UP = 48


def make(name: str) -> str:
    """Write the golden CSV of `name` with its default parameters; what was done, as a sentence."""
    indicator = INDICATORS[name]()
    bars = random_walk(indicator.bars_needed + ROWS_AFTER_WARM_UP, seed=20, gap=0.01)
    answers: list[Step] = values_of(PARITY[name].talib(indicator, bars)) if name in PARITY else [None] * len(bars)
    path = goldens.write(name, indicator, bars, answers)
    return f"{path}: {'answers from TA-Lib' if name in PARITY else 'fill in the empty output columns'}"


if __name__ == "__main__":
    for wanted in sys.argv[1:] or INDICATORS:
        print(make(wanted))
