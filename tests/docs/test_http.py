"""What the page about HTTP says by hand, held against the code."""

import re

from connectors.delivery.http import problems
from connectors.delivery.http.operations import OPERATIONS
from tests.docs.make_http import CODES
from tests.docs.markdown import ROOT

DELIVERY = ROOT / "connectors" / "delivery"


def said() -> set[str]:
    """Codes that the code says."""
    source = "\n".join(file.read_text() for file in DELIVERY.rglob("*.py"))
    problem_codes = re.findall(r'\bproblem\(\s*\d+,\s*"([a-z_]+)"', source)
    return {*problem_codes, *re.findall(r'\bBadQuery\(\s*"([a-z_]+)"', source), *problems.CODES.values()}


def test_every_code_of_a_problem_is_explained_and_no_other() -> None:
    of_parameters = {f"bad_{parameter.name}" for operation in OPERATIONS for parameter in operation.parameters}
    assert said() - of_parameters == set(CODES) - {"bad_NAME"}
