"""A soak's result as a person reads it."""

from typing import Any

from bench.lab.report import markdown

RULES = {
    "lost": "accepted turns without an answer, their caller's cancellation, or their deadline",
    "never_told_an_end": "callers who stayed and were never told an end",
    "two_turns_of_one_key": "idempotency keys with more than one turn",
    "ended_twice": "turns that were over and had another end later",
    "answers_unlike_the_stored": "whole answers at callers that are not the stored ones",
    "visible_tokens_twice": "callers who saw a piece of text twice",
    "over_quota": "deployments asked for more than their quota in some minute, beyond what wrong clocks explain (50 %)",
    "queues_not_drained": "queues with messages left",
    "orphans": "turns left open, calls left running",
    "conversations_inconsistent": "turns whose conversation says something else than they do",
    "dead_letters_unexplained": "dead letters whose turn is not over",
    "surprises": "faults in the app's log that nobody expected",
    "unexpected_refusals": "refusals other than 429, 503 and a turn's own end",
    "processes_left": "processes left when all was stopped",
    "leaks": "parts whose memory or open files grew",
}


def text(result: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    lines = [
        "# Soak: mixed traffic while processes die, stall, run out of disk and lose their clock",
        "",
        _conditions(result),
        *(["", result["remark"]] if result.get("remark") else []),
        "",
        f"**{'Every rule held.' if result['passed'] else 'Rules were broken.'}**",
        "",
        *_rules(result),
        "",
        *_figures(result),
        "",
        *_flat(result["flat"]),
        "",
        *_what(),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _conditions(result: dict[str, Any]) -> str:
    machine, carried = result["machine"], result["faults"]["carried_out"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(carried.items()))
    return (
        f"{result['minutes']:g} minutes, {result['turns']:,} turns ({result['turns_per_minute']:g} a minute, texts of "
        f"{result['texts']}), seed {result['seed']}, {sum(carried.values())} faults ({kinds}). "
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, {machine['system']}, Python "
        f"{machine['python']}, load average {machine['load_average_at_start']} at the start, commit "
        f"{machine['commit']}, {machine['at']}."
    )


def _rules(result: dict[str, Any]) -> list[str]:
    rows = [["rule: there are no", "found"]]
    for name, count in result["rules"].items():
        rows.append([RULES[name], "0" if not count else f"**{count}**: " + "; ".join(result["broken"][name][:3])])
    return markdown(rows)


def _figures(result: dict[str, Any]) -> list[str]:
    seen, calls, load = result["turns_seen"], result["calls"], result["load_average"]
    rows = [
        ["figure", ""],
        ["turns asked, accepted, answered", f"{seen['asked']:,}, {seen['accepted']:,}, {seen['succeeded']:,}"],
        ["states in the store", _counts(seen["states"])],
        ["how callers behaved", _counts(seen["manners"])],
        ["responses to callers", _counts(seen["statuses"])],
        ["answers begun anew before callers' eyes", f"{seen['restarts_seen']:,}"],
        ["turns cut in mid-answer", f"{seen['turns_cut']:,}"],
        ["answered twice by the model, shown once", f"{seen['duplicated']:,}"],
        ["most runs of one turn", str(seen["most_runs_of_a_turn"])],
        ["calls, of these for evaluation", f"{calls['calls']:,}, {calls['evaluation_calls']:,}"],
        ["calls answered 429", f"{calls['calls_429']:,}"],
        ["over the quota in the worst minute", f"{calls['over_quota_share']:.1%}"],
        ["dead letters, by reason and state of their turn", _counts(result["dead_letters"]) or "none"],
        ["load average meanwhile, median and most", f"{load['median']}, {load['most']}"],
        ["all quiet after the last caller, s", f"{result['drained_after_s']}"],
    ]
    return markdown(rows)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _flat(flat: dict[str, Any]) -> list[str]:
    rows = [
        [
            "part",
            "processes",
            "memory MiB, median and most",
            "growth in half an hour, MiB (allowed)",
            "open files, median and most",
            "growth",
            "flat",
        ]
    ]
    for part, found in flat.items():
        memory, handles = found["memory_mib"], found["handles"]
        rows.append(
            [
                part,
                str(found["processes"]),
                f"{memory['median']:.0f}, {memory['most']:.0f}",
                "unknown"
                if found["memory_growth_mib"] is None
                else f"{found['memory_growth_mib']:+.1f} ({found['memory_growth_allowed_mib']:.0f})",
                f"{handles['median']:.0f}, {handles['most']}",
                "unknown" if found["handles_growth"] is None else f"{found['handles_growth']:+.1f}",
                {True: "yes", False: "**no**", None: "too little seen"}[found["flat"]],
            ]
        )
    return markdown(rows)


WORDS = """Growth is the median slope between samples, taken every 10 s, of one process in the second half of the soak,
without the first eight minutes of its life; in the last 18 of 30 minutes no process is replaced. *kill* is
`kill -9` of an instance, which the host starts again; *kill_host* and *kill_service* are the same for the
app as a whole, broker and store; *stall* is SIGSTOP; *clock_jump* moves the wall clock that Python code of
one process sees, and back; *disk_full* forbids a process to write any file: EFBIG from the limit on file
sizes, where a full disk says ENOSPC."""


def _what() -> list[str]:
    return [WORDS]
