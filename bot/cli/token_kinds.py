"""The kinds of tokens that GitHub has: what each can do for us, and what none of its kind can."""

from __future__ import annotations

import msgspec


class TokenKind(msgspec.Struct, frozen=True):
    """A kind of token, in words for people."""

    name: str
    can: str
    cannot: str


APP = TokenKind(
    "a GitHub App",
    "plan and publish wherever it is installed, with a token for each repository; CI starts by itself",
    "reach what it is not installed on; write below .github/workflows without Workflows: write",
)
UNKNOWN = TokenKind("a token", "do what its owner gave it the right to", "do more than its owner can")
_KINDS = {
    "github_pat_": TokenKind(
        "a fine-grained token",
        "plan with Contents: read, publish with Contents, Pull requests and Issues: write, where its owner chose to",
        "outlive its date; write below .github/workflows without Workflows: write",
    ),
    "ghp_": TokenKind(
        "a classic token",
        "do whatever you can, in every repository, with the scope repo",
        "be kept to the plugins; write below .github/workflows without the scope workflow",
    ),
    "ghs_": TokenKind(
        "the token of a workflow or an App",
        "plan and publish in the repository of its workflow, as GITHUB_TOKEN",
        "as GITHUB_TOKEN read private or publish to other repositories, start CI on its pull requests, "
        "or write below .github/workflows",
    ),
    "gho_": TokenKind(
        "the token of an OAuth app",
        "do whatever you can, with the scope repo, where the organisation has approved the app (gh is one)",
        "be kept to the plugins; write below .github/workflows without the scope workflow",
    ),
}
"""By how their tokens begin.
https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github"""


def kind_of(token: str) -> TokenKind:
    """The kind of a token, by how it begins."""
    return next((kind for start, kind in _KINDS.items() if token.startswith(start)), UNKNOWN)
