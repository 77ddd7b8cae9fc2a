"""The names under which a symbol's parts lie in every savepoint: a changed one would be silently empty."""

from typing import Any

from udfs.functions.flink_store import FlinkStore


class State:
    """One named state of one key, held in a dict under the names of Flink's ValueState and MapState."""

    def __init__(self) -> None:
        self.parts: dict[Any, Any] = {}

    def value(self) -> Any:
        return self.parts.get(None)

    def update(self, part: Any) -> None:
        self.parts[None] = part

    def get(self, key: Any) -> Any:
        return self.parts.get(key)

    def put(self, key: Any, part: Any) -> None:
        self.parts[key] = part

    def remove(self, key: Any) -> None:
        self.parts.pop(key, None)

    def clear(self) -> None:
        self.parts.clear()


class Context:
    """Hands out states by their descriptors, as Flink's runtime context does."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.types: dict[str, str] = {}

    def get_state(self, descriptor: Any) -> State:
        self.types[descriptor.name] = str(descriptor.type_info)
        return self.states.setdefault(descriptor.name, State())

    get_map_state = get_state


def test_the_descriptors_are_those_of_every_savepoint_out_there() -> None:
    context = Context()
    FlinkStore(context)
    pickled = "PickledByteArrayTypeInfo"
    assert context.types == {
        "hot": pickled,
        "partials": pickled,
        "frames": f"MapTypeInfo<String, {pickled}>",
        "history": f"MapTypeInfo<String, {pickled}>",
        "seen": f"MapTypeInfo<Integer, {pickled}>",
    }


def test_each_part_is_kept_under_its_own_name_and_gone_after_clear() -> None:
    context = Context()
    store = FlinkStore(context)
    store.put_hot((1, "hot"))
    store.put_partials((1, "partials"))
    store.put_frame("5min", (1, "frame"))
    store.put_history("5min/3", (1, "bar"))
    store.put_seen(17, (1, "seen"))
    read = (store.get_hot(), store.get_partials(), store.get_frame("5min"), store.get_history("5min/3"), store.get_seen(17))
    assert [part and part[1] for part in read] == ["hot", "partials", "frame", "bar", "seen"]
    assert (store.get_frame("1min"), store.get_history("5min/4"), store.get_seen(18)) == (None, None, None)
    store.drop_frame("5min")
    store.drop_history("5min/3")
    store.drop_seen(17)
    assert (store.get_frame("5min"), store.get_history("5min/3"), store.get_seen(17)) == (None, None, None)
    store.clear()
    assert all(state.parts == {} for state in context.states.values())
