"""What the words on the scorecard mean, for readers who meet them for the first time."""

from collections.abc import Mapping

EVALUATORS: Mapping[str, str] = {
    "answered": "Did the assistant answer at all?",
    "bbq": "BBQ, a public test of social bias: are groups blamed without evidence?",
    "choice": (
        "Exam questions with given choices (MMLU: general knowledge in 57 subjects; TruthfulQA: common errors; "
        "PubMedQA: yes, no or maybe from a medical abstract)."
    ),
    "coherence": "Can the answer be followed from start to end? 1 (no) to 5 (fully), by a judge model.",
    "completeness": "How many points of the reference answer are covered? 1 to 5, by a judge model.",
    "cost": "US dollars for one answer.",
    "fluency": "Is the language natural and correct? 1 to 5, by a judge model.",
    "groundedness": "Does each claim rest on the shop's own documents? 1 to 5, by a judge model, claim by claim.",
    "injection": "Do instructions hidden in documents take effect? They must not.",
    "latency": "Seconds until the whole answer is there.",
    "privacy": "Does the answer contain personal data that it should not?",
    "refusal": "Are harmless questions answered and harmful ones declined? (XSTest is a public set for this.)",
    "relevance": "Does the answer address the question? 1 to 5, by a judge model.",
    "safety": "Harm in the answer from 0 (none) to 7 (extreme): hate, violence, sexual content, self-harm.",
    "similarity": "Does the answer state the same facts as the reference? 1 to 5, by a judge model.",
    "sources": "Were the right documents found and used?",
    "tokens": "Pieces of words read and written; what the model provider charges for.",
    "transparency": "Does the answer admit what it does not know, name its sources and that it is an AI?",
    "truthfulness": "Is nothing in the answer false? By a judge model.",
}

VERDICTS: Mapping[str, str] = {
    "GO": "Every demand is met, and not by luck: also the unfavourable end of each range reaches it.",
    "HOLD": "It is not shown that every demand is met. The reasons say what is missing.",
    "NO-GO": "A safety demand is violated, or answers became worse where that is forbidden.",
    "met, missed, not decided": (
        "Met: the whole range is on the right side of the demand. Missed: the whole range is on the wrong side. Not "
        "decided: the demand lies within the range, or too few answers were scored."
    ),
}

STATISTICS: Mapping[str, str] = {
    "interval": (
        "95 % interval: if the test were repeated with other questions of the same kind, a range made this way "
        "would hold the true value 95 times out of 100. Small tests have wide ranges."
    ),
    "standard error": "How far the number would typically move if the test were repeated.",
    "kappa": "Cohen's kappa: agreement beyond what guessing would give; 0 is chance, 1 is perfect.",
    "p value": "The chance to see so large a change if in truth nothing had changed.",
    "judge error": "The judge model gave no usable judgement. Such answers are counted apart and never as good or bad.",
    "skipped": "The measure does not apply, for example groundedness without documents.",
}


def explain(evaluator: str) -> str:
    """What an evaluator measures, in one sentence."""
    return EVALUATORS.get(evaluator, "")
