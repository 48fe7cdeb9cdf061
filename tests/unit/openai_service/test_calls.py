"""The account of calls: complete, bounded, readable page by page."""

from local.openai.calls import Call, Ledger


def closed(ledger: Ledger, count: int) -> None:
    for number in range(count):
        ledger.close(Call(arrived=float(number), deployment=f"a/d{number % 3}"), number + 0.5)


def test_a_call_comes_back_as_it_was_closed() -> None:
    ledger = Ledger(10, wall_offset_seconds=1_000.0)
    ledger.close(
        Call(2.0, "sweden/chat", 300, 40, 12, 200, "succeeded", True, 2.5, b"mine-1", bytes(range(32)), 300, 2.25),
        ended=4.0,
    )
    assert ledger.since(0, 10) == [
        {
            "number": 1,
            "arrived": 2.0,
            "first_token": 2.5,
            "ended": 4.0,
            "arrived_at": 1_002.0,
            "decided_at": 1_002.25,
            "first_token_at": 1_002.5,
            "ended_at": 1_004.0,
            "deployment": "chat",
            "account": "sweden",
            "estimate": 300,
            "prompt_tokens": 40,
            "output_tokens": 12,
            "asked_tokens": 300,
            "status": 200,
            "outcome": "succeeded",
            "stream": True,
            "client_request_id": "mine-1",
            "question_sha256": bytes(range(32)).hex(),
        }
    ]


def test_pages_give_every_call_once_and_in_order() -> None:
    ledger = Ledger(1_000, 0.0)
    closed(ledger, 250)
    seen: list[int] = []
    while page := ledger.since(seen[-1] if seen else 0, 40):
        assert len(page) <= 40
        seen += [call["number"] for call in page]
    assert seen == list(range(1, 251))


def test_only_the_newest_calls_are_kept_and_the_rest_is_counted_as_forgotten() -> None:
    ledger = Ledger(100, 0.0)
    closed(ledger, 250)
    assert ledger.forgotten == 150
    assert [call["number"] for call in ledger.since(0, 1_000)] == list(range(151, 251))
    assert [call["number"] for call in ledger.since(248, 1_000)] == [249, 250]
    assert ledger.since(250, 10) == []
    assert ledger.since(10**12, 10) == []


def test_made_up_deployment_names_do_not_grow_without_bound() -> None:
    ledger = Ledger(10, 0.0)
    for number in range(61_000):
        ledger.close(Call(0.0, f"/{number}"), 0.0)
    assert ledger.since(0, 100)[-1]["deployment"] == "(other)"
