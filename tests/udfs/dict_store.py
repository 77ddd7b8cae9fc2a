"""A `Store` for tests: keeps bytes, as Flink does, and refuses whatever a savepoint must not hold."""

import io
import pickle
from collections import Counter
from typing import Any

from udfs.state_layout import Part


class _BuiltinsOnly(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        raise AssertionError(f"state holds {module_name}.{global_name}: only builtins outlive an upgrade")


class DictStore:
    """Pickles each put and unpickles each get, so that nothing is shared with what is kept. Counts both by kind of part."""

    def __init__(self, kept: dict[tuple[str, object], bytes] | None = None) -> None:
        self.kept = dict(kept or {})
        self.gets: Counter[str] = Counter()
        self.puts: Counter[str] = Counter()

    def reopened(self) -> "DictStore":
        """Another store over the same bytes, as after a restart."""
        return DictStore(self.kept)

    def sizes(self) -> dict[str, int]:
        """Bytes kept, by kind of part, frames by label; the history and the log as a whole."""
        sizes: Counter[str] = Counter()
        for (kind, key), data in self.kept.items():
            sizes[f"frame {key}" if kind == "frame" else kind] += len(data)
        return dict(sizes)

    def _get(self, kind: str, key: object) -> Part | None:
        self.gets[kind] += 1
        data = self.kept.get((kind, key))
        return None if data is None else pickle.loads(data)

    def _put(self, kind: str, key: object, part: Part) -> None:
        self.puts[kind] += 1
        data = pickle.dumps(part)
        assert _BuiltinsOnly(io.BytesIO(data)).load() == part
        self.kept[kind, key] = data

    def get_hot(self) -> Part | None:
        return self._get("hot", None)

    def put_hot(self, part: Part) -> None:
        self._put("hot", None, part)

    def get_partials(self) -> Part | None:
        return self._get("partials", None)

    def put_partials(self, part: Part) -> None:
        self._put("partials", None, part)

    def get_frame(self, label: str) -> Part | None:
        return self._get("frame", label)

    def put_frame(self, label: str, part: Part) -> None:
        self._put("frame", label, part)

    def drop_frame(self, label: str) -> None:
        self.kept.pop(("frame", label), None)

    def get_history(self, slot: str) -> Part | None:
        return self._get("history", slot)

    def put_history(self, slot: str, bar: Part) -> None:
        self._put("history", slot, bar)

    def drop_history(self, slot: str) -> None:
        self.kept.pop(("history", slot), None)

    def get_seen(self, slot: int) -> Part | None:
        return self._get("seen", slot)

    def put_seen(self, slot: int, part: Part) -> None:
        self._put("seen", slot, part)

    def drop_seen(self, slot: int) -> None:
        self.kept.pop(("seen", slot), None)

    def clear(self) -> None:
        self.kept.clear()
