"""What can be wrong with the meaning somebody asked for: a frame, an indicator, a state.

UdfError
├── FrameError       a time frame that cannot be
├── SpecError        an indicator spec that cannot be parsed or built
├── BarsError        arrays of bars that nothing can be calculated of
└── StateError       a saved state this version or this configuration cannot go on from
"""


class UdfError(Exception):
    """Base of every error raised in `udfs`. The configuration is at fault; trying again does not help."""


class FrameError(UdfError, ValueError):
    """`label` is not a time frame."""

    def __init__(self, label: str, why: str) -> None:
        super().__init__(f"time frame {label!r}: {why}")
        self.label = label
        self.why = why


class SpecError(UdfError, ValueError):
    """`spec` is not an indicator, or its parameters are out of range."""

    def __init__(self, spec: str, why: str) -> None:
        super().__init__(f"indicator {spec!r}: {why}")
        self.spec = spec
        self.why = why


class BarsError(UdfError, ValueError):
    """The column `column` of given bars is missing, or is not what it should be."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(f"bars: {column}: {why}")
        self.column = column
        self.why = why


class StateError(UdfError):
    """A saved state was made with other fixed settings, or by a later version."""
