"""A worse version of the instructions. The app keeps it, so this is the last test on the stack."""

from bench.regression.recording import worse_instructions
from evals.stack import JudgedStack
from tests.acceptance.evaluation.support import GATES, GOLDEN, ended, start
from tests.acceptance.stack import OPERATOR


def test_instructions_that_spoil_one_topic_are_no_go_and_the_topic_is_named(stack: JudgedStack) -> None:
    topics = {tag: [item for item in GOLDEN if tag in item.tags][:12] for tag in ("product", "policy")}
    asked = [*topics["product"], *topics["policy"]]
    gates = [gate for gate in GATES if gate["name"] == "grounded answers"]
    wish = {"evaluators": ["answered", "groundedness"], "gates": gates}
    with stack.client(OPERATOR) as operator:
        good = start(operator, asked, name="accepted", **wish)
        accepted = ended(operator, good)
    stack.settings["SPILLWAY_SYSTEM_PROMPT"] = worse_instructions(asked)
    stack.parts["app"].stop()
    stack.start_app()
    with stack.client(OPERATOR) as operator:
        run = ended(operator, start(operator, asked, name="candidate", baseline_run=good, **wish))

    worse = [reason for reason in run["reasons"] if "worse than the baseline" in reason]
    assert accepted["decision"] == "HOLD"
    assert run["decision"] == "NO-GO"
    assert any(reason.startswith("grounded answers [policy]: worse than the baseline") for reason in worse)
    assert not [reason for reason in worse if "[product]" in reason]
