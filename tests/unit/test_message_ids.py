"""Ids of lane messages: duplicates of one message are dropped by them, and nothing else is."""

import dataclasses

from shared.events import TurnMessage
from shared.turns import Lane

FIRST = TurnMessage("a" * 32, Lane.INTERACTIVE, "", 1_700_000_120.25, 1_700_000_000.0)


def test_the_same_message_sent_twice_has_one_id_however_late_it_is_sent() -> None:
    assert dataclasses.replace(FIRST, sent_at=FIRST.sent_at + 60).message_id == FIRST.message_id
    assert TurnMessage.decode(FIRST.encode()).message_id == FIRST.message_id


def test_copies_and_waits_have_ids_of_their_own() -> None:
    others = [dataclasses.replace(FIRST, copy=copy, waits=waits) for copy in ("", "r1", "s1") for waits in (0, 1, 11)]

    assert len({message.message_id for message in others}) == len(others)


def test_a_turn_that_is_asked_again_under_its_key_after_it_was_given_up_has_ids_of_its_own() -> None:
    again = dataclasses.replace(FIRST, copy="s1", deadline_at=FIRST.deadline_at + 0.01)

    assert again.message_id != dataclasses.replace(FIRST, copy="s1").message_id
    assert len(again.message_id) < 100
