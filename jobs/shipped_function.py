"""A function that brings its code along: a TaskManager unpickles it with the code of its own job, whatever ran there before.

All jobs of a TaskManager share one interpreter, whose modules stay when a job ends: without this, the next job would run with the
code of the one before. Nothing here may be used by the function itself: this module is not there when it is unpickled.
"""

import sys
from collections.abc import Sequence
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
from pyflink.datastream import KeyedProcessFunction

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class ShippedFunction(KeyedProcessFunction):  # type: ignore[misc]  # PyFlink has no types
    """Stands for `function` on its way to the cluster; unpickled, it is that function, with the code of `archive` (without `.zip`)."""

    def __init__(self, function: KeyedProcessFunction, archive: str, names: Sequence[str]) -> None:
        self._function = function
        self._archive = archive
        self._names = tuple(names)

    def __reduce__(self) -> tuple[Any, ...]:
        return unpack, (cloudpickle.dumps(self._function), self._archive, self._names)

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        """As the function does."""
        return self._function.process_element(value, ctx)


def unpack(pickled: bytes, archive: str, names: tuple[str, ...]) -> Any:
    """The function, once modules called `names` that were not loaded from `archive` are forgotten. Runs in the TaskManager.

    Flink unpacks an archive into a folder of its name, and puts that on the path.
    """
    import os
    import pickle
    import sys

    # Those of jobs that ended are still on the path, but gone.
    place = next((entry for entry in sys.path if entry.endswith("/" + archive) and os.path.exists(entry)), None)
    if place is None:
        raise ImportError(f"{archive} is not among {sys.path}")
    sys.path.remove(place)
    sys.path.insert(0, place)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in names and not str(getattr(module, "__file__", "")).startswith(place):
            del sys.modules[name]
    return pickle.loads(pickled)
