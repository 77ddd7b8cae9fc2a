import os
import stat
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from connectors.errors import KeysUnreadable
from connectors.keys import KeyRing, Scope, add_key, is_name, read_keys, revoke_keys

NOW_MS = 1_795_348_669_460


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys.json"


def test_a_key_is_random_and_only_its_hash_is_kept_where_only_its_owner_reads_it(file: Path) -> None:
    made = [add_key(file, "feed-a", [Scope.INGEST], NOW_MS) for _ in range(20)]
    assert len({each.text for each in made}) == 20
    content = file.read_text()
    assert all(each.text not in content and each.text[14:] not in content for each in made)
    assert [key.hash for key in read_keys(file)] == [sha256(each.text.encode()).hexdigest() for each in made]
    assert {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()} == {0o600}
    assert made[0].text not in repr(made[0])


def test_a_file_that_others_could_read_is_replaced_by_one_that_they_cannot(file: Path) -> None:
    add_key(file, "feed-a", [Scope.INGEST], NOW_MS)
    file.chmod(0o644)
    add_key(file, "feed-b", [Scope.INGEST], NOW_MS)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_right_key_is_found_and_no_other(file: Path) -> None:
    made, other = (add_key(file, name, [Scope.INGEST], NOW_MS) for name in ("feed-a", "feed-b"))
    ring = KeyRing(file)
    assert ring.find(made.text, Scope.INGEST) == made.key
    swapped = made.text[:14] + other.text[14:]
    for wrong in (None, "", "x", made.text[:-1], made.text + "x", made.text.upper(), swapped, made.key.hash, made.key.id, "\ud800"):
        assert ring.find(wrong, Scope.INGEST) is None, wrong


def test_a_key_is_good_for_its_scopes_only(file: Path) -> None:
    reader, both = (add_key(file, "c", scopes, NOW_MS) for scopes in ([Scope.READ], [Scope.READ, Scope.INGEST]))
    ring = KeyRing(file)
    assert ring.find(reader.text, Scope.INGEST) is None
    assert ring.find(reader.text, Scope.READ, Scope.ADMIN) == reader.key
    assert ring.find(both.text, Scope.INGEST) == both.key
    assert ring.find(reader.text) is None


def test_a_client_changes_from_one_key_to_the_next_and_a_running_service_follows(file: Path) -> None:
    old = add_key(file, "feed-a", [Scope.INGEST], NOW_MS)
    ring = KeyRing(file)
    assert not ring.refresh()
    new = add_key(file, "feed-a", [Scope.INGEST], NOW_MS)
    assert ring.refresh()
    assert ring.find(old.text, Scope.INGEST)
    assert ring.find(new.text, Scope.INGEST)
    assert [key.id for key in revoke_keys(file, old.key.id)] == [old.key.id]
    assert ring.refresh()
    assert not ring.has(old.key.id, Scope.INGEST)
    assert ring.find(old.text, Scope.INGEST) is None
    assert ring.find(new.text, Scope.INGEST)


def test_revoking_a_name_revokes_all_its_keys_and_no_other(file: Path) -> None:
    for name in ("feed-a", "feed-b", "feed-a"):
        add_key(file, name, [Scope.INGEST], NOW_MS)
    assert [key.name for key in revoke_keys(file, "feed-a")] == ["feed-a", "feed-a"]
    assert [key.name for key in read_keys(file)] == ["feed-b"]
    assert revoke_keys(file, "nobody") == []
    assert revoke_keys(file.with_name("none.json"), "feed-a") == []


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"v":2,"keys":[]}', '{"v":1,"keys":[{"id":"x"}]}', b"\xff"])
def test_a_file_that_cannot_be_read_is_an_error_at_the_start_and_lets_nobody_in_later(file: Path, content: str | bytes) -> None:
    made = add_key(file, "feed-a", [Scope.INGEST], NOW_MS)
    ring = KeyRing(file)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert ring.refresh()
    assert ring.find(made.text, Scope.INGEST) is None
    assert str(file) in ring.problem
    with pytest.raises(KeysUnreadable, match=r"keys\.json"):
        KeyRing(file)


def test_without_a_file_there_are_no_keys_and_one_that_comes_is_taken_up(file: Path) -> None:
    ring = KeyRing(file)
    assert len(ring) == 0
    made = add_key(file, "feed-a", [Scope.INGEST], NOW_MS)
    assert ring.refresh()
    assert ring.find(made.text, Scope.INGEST)
    os.unlink(file)
    assert ring.refresh()
    assert len(ring) == 0


def test_two_who_add_at_once_lose_no_key(file: Path) -> None:
    adders = [threading.Thread(target=add_key, args=(file, f"feed-{n}", [Scope.INGEST], NOW_MS)) for n in range(16)]
    for each in adders:
        each.start()
    for each in adders:
        each.join()
    assert sorted(key.name for key in read_keys(file)) == sorted(f"feed-{n}" for n in range(16))


@pytest.mark.parametrize(("text", "is_one"), [("feed-a", True), ("a@b", True), ("", False), ("a b", False), ("x" * 65, False)])
def test_a_holder_is_named_as_a_client_names_itself(text: str, is_one: bool) -> None:
    assert is_name(text) is is_one
