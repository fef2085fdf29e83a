from __future__ import annotations

import hashlib
import json
import threading
import time
from typing import Any

import pytest
import redis

from sendoff_store import people
from sendoff_store.calls import SyncStore
from sendoff_store.people import Checked, Person, Refreshed

TOKEN_SECONDS = 3600


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def add(store: SyncStore, name: str = "ana", role: str = "artist") -> bool:
    return store.run(people.add(Person(name=name, role=role, password="hash")))


def open_session(store: SyncStore, sid: str = "s1", **changes: Any) -> bool:
    values: dict[str, Any] = {
        "person": "ana", "role": "artist", "refresh": sha("r1"), "client": "Blender", "address": "10.0.0.9",
        "seconds": 1000,
    }  # fmt: skip
    return store.run(people.open_session(sid, **(values | changes)))


def refresh(store: SyncStore, given: str, following: str, sid: str = "s1") -> Refreshed:
    call = people.refresh(sid, given=sha(given), following=sha(following), token_seconds=TOKEN_SECONDS)
    return store.run(call)


def check(store: SyncStore, sid: str = "s1", person: str = "ana", *, is_session: bool = True) -> Checked:
    return store.run(people.check(sid, person=person, is_session=is_session))


def change(store: SyncStore, name: str = "ana", **values: Any) -> bool:
    return store.run(people.change(name, token_seconds=TOKEN_SECONDS, **values))


def test_a_person_is_there_once_and_is_found(store: SyncStore) -> None:
    assert add(store)
    assert not add(store, role="admin")
    found = store.run(people.person("ana"))
    assert found is not None
    assert (found.name, found.role, found.password, found.source) == ("ana", "artist", "hash", "local")
    assert not found.is_disabled
    assert found.created_at == pytest.approx(time.time(), abs=5)
    add(store, "Bo", "td")
    assert [one.name for one in store.run(people.people())] == ["Bo", "ana"]
    assert store.run(people.person("cy")) is None
    assert not change(store, "cy", role="td")


@pytest.mark.parametrize("name", ["ana", "Ana.Löw@studio.example", "a-1_b+c", "李"])
def test_names_that_people_have(name: str) -> None:
    assert people.is_name(name)


@pytest.mark.parametrize("name", ["", " ana", "a:b", "a b", "-a", "a" * 65, "a\n", "a/b", "*"])
def test_names_that_would_lead_elsewhere(name: str) -> None:
    assert not people.is_name(name)


def test_a_role_counts_at_once_and_comes_from_the_person(store: SyncStore) -> None:
    open_session(store, role="td")
    assert check(store) == Checked("good", "td"), "nobody is known by that name: what the session was opened with"
    add(store)
    assert check(store) == Checked("good", "artist")
    change(store, role="admin")
    assert check(store) == Checked("good", "admin")
    assert check(store, "token-1", is_session=False) == Checked("good", "admin")
    assert check(store, "token-1", "nobody", is_session=False) == Checked("good", "")


@pytest.mark.parametrize(
    ("role", "most", "lower"),
    [
        ("admin", "artist", "artist"),
        ("artist", "admin", "artist"),
        ("td", "td", "td"),
        ("td", "", "td"),
        ("", "td", ""),
    ],
)
def test_a_session_may_be_kept_below_its_persons_role(store: SyncStore, role: str, most: str, lower: str) -> None:
    assert people.lower(role, most) == lower
    open_session(store, role=role, most=most)
    assert check(store) == Checked("good", role, most)


def test_a_session_stays_over_its_refreshes_and_each_token_is_good_once(store: SyncStore) -> None:
    add(store)
    assert open_session(store, ends_at=1e10)
    assert refresh(store, "r1", "r2") == Refreshed("refreshed", "ana", "artist", 1e10)
    assert refresh(store, "r2", "r3").outcome == "refreshed"
    assert refresh(store, "r3", "r4").outcome == "refreshed"
    assert check(store).outcome == "good"
    (session,) = store.run(people.sessions("ana"))
    assert (session.sid, session.client, session.address) == ("s1", "Blender", "10.0.0.9")


def test_an_answer_that_was_lost_is_asked_for_again(store: SyncStore) -> None:
    open_session(store)
    assert refresh(store, "r1", "lost").outcome == "refreshed"
    assert refresh(store, "r1", "r2").outcome == "refreshed"
    assert refresh(store, "r2", "r3").outcome == "refreshed"


def test_an_old_token_was_copied_and_ends_the_session(store: SyncStore, client: redis.Redis) -> None:
    open_session(store)
    for given, following in (("r1", "r2"), ("r2", "r3"), ("r3", "r4")):
        refresh(store, given, following)
    assert refresh(store, "r1", "x") == Refreshed("reused", "ana")
    assert check(store) == Checked("ended")
    assert refresh(store, "r4", "r5").outcome == "ended"
    assert store.run(people.sessions("ana")) == ()


def test_the_one_before_is_good_for_a_minute_only(store: SyncStore, client: redis.Redis) -> None:
    open_session(store)
    refresh(store, "r1", "r2")
    client.hset("signin:s1", "changed_at", time.time() - 61)
    assert refresh(store, "r1", "r3").outcome == "reused"


def test_a_guess_ends_nothing(store: SyncStore) -> None:
    open_session(store)
    assert refresh(store, "guess", "x").outcome == "unknown"
    assert refresh(store, "r1", "x", sid="s2").outcome == "ended"
    assert check(store).outcome == "good"


def test_a_session_that_is_ended_is_so_at_once_and_it_is_told(store: SyncStore, client: redis.Redis) -> None:
    open_session(store)
    with client.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe(people.ENDED_CHANNEL)
        listener.get_message(timeout=2)
        assert store.run(people.end_session("s1", token_seconds=TOKEN_SECONDS))
        message = listener.get_message(timeout=2)
        assert message is not None
        assert json.loads(message["data"]) == {"sid": "s1"}
    assert check(store) == Checked("ended")
    assert store.run(people.session("s1")) is None
    assert 0 < client.ttl("ended:s1") <= TOKEN_SECONDS
    assert not store.run(people.end_session("token-1", token_seconds=60)), "no session, and marked all the same"
    assert check(store, "token-1", is_session=False) == Checked("ended")


def test_who_is_disabled_is_out_and_comes_in_no_more(store: SyncStore) -> None:
    add(store)
    open_session(store)
    assert change(store, is_disabled=True)
    assert check(store, "token-1", is_session=False) == Checked("disabled")
    assert check(store) == Checked("ended")
    assert not open_session(store, "s2")
    assert change(store, is_disabled=False)
    assert open_session(store, "s2")
    assert check(store, "s2") == Checked("good", "artist")


def test_a_new_password_ends_what_was_signed_in_by_the_old_one(store: SyncStore) -> None:
    add(store)
    open_session(store)
    change(store, password="other")
    assert check(store) == Checked("ended")
    found = store.run(people.person("ana"))
    assert found is not None
    assert found.password == "other"


def test_of_many_that_refresh_at_once_with_one_token_all_go_on_or_one_does(
    store: SyncStore, client: redis.Redis
) -> None:
    open_session(store)
    outcomes: list[str] = []

    def run(number: int) -> None:
        outcomes.append(refresh(store, "r1", f"n{number}").outcome)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert outcomes == ["refreshed"] * 16
    newest = client.hget("signin:s1", "refresh")
    assert newest in [sha(f"n{number}") for number in range(16)]
    assert check(store).outcome == "good"


def test_a_session_that_nobody_uses_ends_by_itself(store: SyncStore, client: redis.Redis) -> None:
    open_session(store, seconds=1)
    deadline = time.monotonic() + 10
    while check(store).outcome == "good":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert store.run(people.sessions("ana")) == ()
    assert client.scard("signins:ana") == 0
