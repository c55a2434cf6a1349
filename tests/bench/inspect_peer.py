"""The conversations of the trial's bench in Inspect AI, with a model provider and tools in the process.

Run by an interpreter that has `inspect-ai`; prints the seconds of one sample. Nothing of ours is imported.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time

from inspect_ai import Task  # type: ignore[import-not-found]
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample  # type: ignore[import-not-found]
from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, get_model, modelapi  # type: ignore[import-not-found]
from inspect_ai.scorer import includes  # type: ignore[import-not-found]
from inspect_ai.solver import basic_agent  # type: ignore[import-not-found]
from inspect_ai.tool import tool  # type: ignore[import-not-found]

CONVERSATIONS = json.loads(sys.argv[1])
SAMPLES = int(sys.argv[2])


@modelapi(name="inprocess")
def inprocess():
    return InProcess


class InProcess(ModelAPI):
    """Says the next step of a conversation: which one stands in the first message, which step follows from the answers."""

    def __init__(self, model_name: str, base_url=None, api_key=None, config=None, **more) -> None:
        super().__init__(model_name, base_url, api_key, [], config or GenerateConfig())

    async def generate(self, input, tools, tool_choice, config):  # noqa: A002
        step = sum(message.role == "assistant" for message in input)
        number = int(next(message.text for message in input if message.role == "user").rpartition(" ")[2])
        steps = CONVERSATIONS[number % len(CONVERSATIONS)]
        if step < len(steps):
            return ModelOutput.for_tool_call("inprocess/script", "call", {"arguments": json.dumps(steps[step])})
        return ModelOutput.for_tool_call("inprocess/script", "submit", {"answer": "Fixed."})


@tool
def call():
    async def execute(arguments: str) -> str:
        """Do something.

        Args:
            arguments: What to do, as JSON.
        """
        return f"ok {len(arguments)}"

    return execute


def task() -> Task:
    samples = [Sample(input=f"Fix it, please. {number}", target="Fixed.") for number in range(SAMPLES)]
    return Task(dataset=samples, solver=basic_agent(tools=[call()]), scorer=includes())


with tempfile.TemporaryDirectory() as folder:
    model = get_model("inprocess/script")
    evaluate(task(), model=model, display="none", log_dir=folder, log_level="error")  # warm
    began = time.process_time()
    (log,) = evaluate(task(), model=model, display="none", log_dir=folder, log_level="error")
    seconds = time.process_time() - began
    assert log.status == "success", log.error
    assert log.results.scores[0].metrics["accuracy"].value == 1
    print(json.dumps({"seconds": seconds / SAMPLES}))
