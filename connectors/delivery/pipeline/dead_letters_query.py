"""Queries for dead letters. Pure."""

from connectors.delivery.http.parameters import Parameter, always, read_choice, read_whole
from udfs.model import Reason

MAX_LETTERS, DEFAULT_LETTERS = 1_000, 100
DEAD_LETTERS_PARAMETERS = (
    Parameter("reason", read_choice(*Reason), "Only those of one reason.", always({"type": "string", "enum": [*Reason]})),
    Parameter(
        "limit",
        read_whole(1, MAX_LETTERS),
        "The newest so many of them.",
        always({"type": "integer", "minimum": 1, "maximum": MAX_LETTERS, "default": DEFAULT_LETTERS}),
        default=DEFAULT_LETTERS,
    ),
)
