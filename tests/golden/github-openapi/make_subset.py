"""Make `subset.json` and `webhooks.json` again: the operations and the events that we use, out of GitHub's OpenAPI
descriptions, schemas made JSON Schema.

Run `python tests/golden/github-openapi/make_subset.py`; it needs npm, takes 30 MB from the registry into a folder that
is gone afterwards, and writes nothing but the two files and `LICENSE` here. Both packages have the same licence.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "@octokit/openapi@23.0.2"
WEBHOOKS = "@octokit/openapi-webhooks@12.1.0"
EVENTS = {
    "issues": "issues-labeled",
    "repository_dispatch": "repository-dispatch-sample.collected",
    "workflow_dispatch": "workflow-dispatch",
}
"""Event of Actions -> the webhook whose payload it has."""
SPEC = "package/generated/api.github.com.json"
HERE = Path(__file__).resolve().parent
REPO = "/repos/{owner}/{repo}"
OPERATIONS = (
    "GET /user",
    "GET /rate_limit",
    "GET /orgs/{org}/repos",
    f"GET {REPO}",
    f"GET {REPO}/branches",
    f"GET {REPO}/branches/{{branch}}",
    f"GET {REPO}/collaborators/{{username}}/permission",
    f"GET {REPO}/commits/{{ref}}/status",
    f"GET {REPO}/git/matching-refs/{{ref}}",
    f"GET {REPO}/git/ref/{{ref}}",
    f"GET {REPO}/issues",
    f"POST {REPO}/issues",
    f"GET {REPO}/issues/comments/{{comment_id}}",
    f"PATCH {REPO}/issues/comments/{{comment_id}}",
    f"DELETE {REPO}/issues/comments/{{comment_id}}",
    f"GET {REPO}/issues/{{issue_number}}",
    f"PATCH {REPO}/issues/{{issue_number}}",
    f"GET {REPO}/issues/{{issue_number}}/comments",
    f"POST {REPO}/issues/{{issue_number}}/comments",
    f"POST {REPO}/issues/{{issue_number}}/labels",
    f"DELETE {REPO}/issues/{{issue_number}}/labels/{{name}}",
    f"POST {REPO}/issues/{{issue_number}}/reactions",
    f"GET {REPO}/issues/{{issue_number}}/events",
    f"GET {REPO}/labels",
    f"POST {REPO}/labels",
    f"GET {REPO}/pulls",
    f"POST {REPO}/pulls",
    f"GET {REPO}/pulls/{{pull_number}}",
    f"PATCH {REPO}/pulls/{{pull_number}}",
    f"PUT {REPO}/pulls/{{pull_number}}/merge",
    f"POST {REPO}/pulls/{{pull_number}}/requested_reviewers",
    f"POST {REPO}/statuses/{{sha}}",
    f"GET {REPO}/installation",
    "POST /app/installations/{installation_id}/access_tokens",
    f"POST {REPO}/check-runs",
    f"GET {REPO}/commits/{{ref}}/check-runs",
    f"GET {REPO}/actions/runs/{{run_id}}",
    f"GET {REPO}/actions/runs/{{run_id}}/artifacts",
)
NOISE = {
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "x-github",
    "x-octokit",
    "deprecated",
    "title",
    "headers",
    "operationId",
    "x-multi-segment",
}


def main() -> None:
    """Fetch, cut, write."""
    spec, licence = _described(PACKAGE)
    (HERE / "LICENSE").write_bytes(licence)
    _write("subset.json", cut(spec))
    _write("webhooks.json", cut_events(_described(WEBHOOKS)[0]))


def _described(package: str) -> tuple[dict[str, Any], bytes]:
    """The description that a package holds, and its licence."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            return json.load(_member(archive, SPEC)), _member(archive, "package/LICENSE").read()


def _write(name: str, document: dict[str, Any]) -> None:
    text = json.dumps(document, separators=(",", ":"), sort_keys=True)
    (HERE / name).write_text(text + "\n", encoding="utf-8")
    print(f"{name}: {len(text)} bytes, {len(document['components']['schemas'])} schemas")


def _member(archive: tarfile.TarFile, name: str) -> Any:
    found = archive.extractfile(name)
    assert found is not None, name
    return found


def cut(spec: dict[str, Any]) -> dict[str, Any]:
    """The operations with everything they refer to, without prose."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        method, path = operation.split(" ")
        whole = spec["paths"][path][method.lower()]
        kept = {key: whole[key] for key in ("parameters", "requestBody", "responses") if key in whole}
        paths.setdefault(path, {})[method.lower()] = cleaned(kept)
    return {"package": PACKAGE, "paths": paths, "components": _components(spec, paths)}


def cut_events(spec: dict[str, Any]) -> dict[str, Any]:
    """The payloads of the events with everything they refer to, without prose."""
    found = {}
    for event, name in EVENTS.items():
        content = spec["webhooks"][name]["post"]["requestBody"]["content"]
        found[event] = cleaned(content["application/json"]["schema"])
    return {"package": WEBHOOKS, "events": found, "components": _components(spec, found)}


def _components(spec: dict[str, Any], start: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Everything that is referred to from `start`, directly or not."""
    components: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = [start]
    while waiting:
        for ref in references(waiting.pop()):
            kind, name = ref.removeprefix("#/components/").split("/")
            if name not in components.setdefault(kind, {}):
                components[kind][name] = cleaned(spec["components"][kind][name])
                waiting.append(components[kind][name])
    return components


def references(node: Any) -> set[str]:
    """All `$ref`s below."""
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


def cleaned(node: Any, *, names: bool = False) -> Any:
    """Without prose, and `nullable` as JSON Schema says it. `names`: the keys are names, not keywords."""
    if isinstance(node, list):
        return [cleaned(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {
        key: cleaned(value, names=key == "properties" and not names)
        for key, value in node.items()
        if names or key not in NOISE
    }
    if names or made.pop("nullable", None) is not True:
        return made
    if isinstance(made.get("type"), str) and "$ref" not in made:
        made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        return made
    return {"anyOf": [made, {"type": "null"}]}


if __name__ == "__main__":
    main()
