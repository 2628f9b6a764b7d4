"""Every `*` in what an IAM or resource policy says of actions and resources, each with a reason. A new one fails."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import hcl2
import pytest
from lark import Token, Tree

ROOT = Path(__file__).parents[2] / "terraform"

# An object with either set of names is a statement; so is a `statement` block of aws_iam_policy_document.
STATEMENTS = ({"Effect"}, {"actions", "resources"})
SAID_OF = {"action", "actions", "notaction", "not_actions", "resource", "resources", "notresource", "not_resources"}

NO_RESOURCE = "the action knows no resource: AWS wants `*`"
OWN_KEY = "in a key's own policy `*` is this key"
ACCOUNT_ADMINISTERS = f"the account's administrators may do everything with the key, or nobody could; {OWN_KEY}"
STREAMS = "the streams of one log group"
OBJECTS = "the objects of one bucket"

# (module, Sid) → why it may say `*`.
ALLOWED = {
    ("modules/blue_green", "LookAround"): "reads only; " + NO_RESOURCE,
    ("modules/blue_green", "StartAndStopTasks"): "a task set has no name yet; a condition bounds the cluster",
    ("modules/bucket", "TlsOnly"): f"a Deny: everything is refused that is not TLS; {OBJECTS}",
    ("modules/bucket", "Write"): f"below one prefix; {OBJECTS}",
    ("modules/bucket", ""): f"each grant, whose Sid the caller gives: below one prefix; {OBJECTS}",
    ("modules/capture", "Capture"): f"below one prefix; {OBJECTS}",
    ("modules/capture", "ReadBodies"): OBJECTS,
    ("modules/capture", "TlsOnly"): "a Deny: everything is refused that is not TLS",
    ("modules/capture", "WriteResults"): f"below one prefix; {OBJECTS}",
    ("modules/event_stream", "WriteEvents"): f"below two prefixes; {OBJECTS}",
    ("modules/external_services", "WriteLog"): STREAMS,
    ("modules/fargate", "LogInToRegistry"): NO_RESOURCE,
    ("modules/fargate", "WriteLog"): STREAMS,
    ("modules/function", "JoinNetwork"): "a network interface has no name before Lambda makes it",
    ("modules/function", "SendTraces"): NO_RESOURCE,
    ("modules/function", "WriteOwnLog"): STREAMS,
    ("modules/network", "WriteFlowLogs"): STREAMS,
    ("modules/notifications", "Administer"): ACCOUNT_ADMINISTERS,
    ("modules/notifications", "Publish"): OWN_KEY,
    ("modules/pipeline", "Administer"): ACCOUNT_ADMINISTERS,
    ("modules/pipeline", "LogInToRegistry"): NO_RESOURCE,
    ("modules/pipeline", "ReadTaskDefinition"): NO_RESOURCE,
    ("modules/pipeline", "RegisterTaskDefinition"): NO_RESOURCE + "; PassTaskRoles bounds what can be started",
    ("modules/pipeline", "UseArtifacts"): OBJECTS,
    ("modules/pipeline", "WriteLog"): STREAMS,
    ("modules/waf", "WriteWafLog"): STREAMS,
}

# AWS's own policies are full of `*`, and grow without us.
MANAGED_POLICY = re.compile(r":iam::aws:policy/([\w/-]+)")
ALLOWED_MANAGED = {
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": "API Gateway refuses a role that allows less than this",
}


class Statement(NamedTuple):
    module: str
    sid: str
    starred: tuple[str, ...]
    """What holds a `*`."""


@cache
def parsed(file: Path) -> Tree[Token]:
    """Parsing takes nearly all of this file's time, and every file is asked for its statements and for its locals."""
    return hcl2.parses_to_tree(file.read_text(encoding="utf-8"))


def statements(file: Path, root: Path = ROOT) -> Iterator[Statement]:
    tree = parsed(file)
    module = str(file.parent.relative_to(root))
    local_values = locals_of(file.parent)
    for node in [*tree.find_data("object"), *statement_blocks(tree)]:
        members = dict(members_of(node))
        if any(names <= members.keys() for names in STATEMENTS) or node.data == "body":
            said = [
                text
                for name, value in members.items()
                if name.lower() in SAID_OF
                for node in [value, *(local_values[used] for used in locals_used(value) if used in local_values)]
                for text in texts(node)
            ]
            sid = next((text for name, value in members.items() if name.lower() == "sid" for text in texts(value)), "")
            yield Statement(module, sid, tuple(text for text in said if "*" in text))


def statement_blocks(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    for block in tree.find_data("block"):
        name, *_, body = [child for child in block.children if isinstance(child, Tree)]
        if name.data == "identifier" and first_token(name) == "statement":
            yield body


@cache
def locals_of(module: Path) -> dict[str, Tree[Token]]:
    """What a statement may name instead of saying it."""
    return {
        name: value
        for file in module.glob("*.tf")
        for block in parsed(file).find_data("block")
        if first_token(block) == "locals"
        for body in block.find_data("body")
        for name, value in members_of(body)
    }


def locals_used(node: Tree[Token]) -> Iterator[str]:
    for term in node.find_data("get_attr_expr_term"):
        path = [str(token) for token in term.scan_values(lambda token: getattr(token, "type", "") == "NAME")]
        if path[:1] == ["local"] and len(path) > 1:
            yield path[1]


def members_of(node: Tree[Token]) -> Iterator[tuple[str, Tree[Token]]]:
    """Name and value of each member of an object, or argument of a block."""
    for child in node.children:
        if isinstance(child, Tree) and child.data in ("object_elem", "attribute"):
            key, *_, value = [part for part in child.children if isinstance(part, Tree)]
            yield "".join(texts(key)) or first_token(key), value


def first_token(node: Tree[Token]) -> str:
    return str(next(token for token in node.scan_values(lambda _: True)))


def texts(node: Tree[Token]) -> Iterator[str]:
    """Every string literal below a node, what is interpolated written as `…`."""
    for string in node.find_data("string"):
        parts = [part for part in string.children if isinstance(part, Tree)]
        yield "".join("…" if any(part.find_data("interpolation")) else str(part.children[0]) for part in parts)


@cache
def all_statements() -> list[Statement]:
    return [statement for file in sorted(ROOT.rglob("*.tf")) for statement in statements(file)]


def test_every_wildcard_is_listed_with_its_reason() -> None:
    found = all_statements()
    assert len(found) > 20, "the policies were not read"
    unlisted = [each for each in found if each.starred and (each.module, each.sid) not in ALLOWED]
    assert unlisted == []


def test_the_list_has_nothing_that_is_gone() -> None:
    starred = {(each.module, each.sid) for each in all_statements() if each.starred}
    assert ALLOWED.keys() - starred == set()


def test_no_other_managed_policy_is_attached() -> None:
    attached = {
        policy for file in ROOT.rglob("*.tf") for policy in MANAGED_POLICY.findall(file.read_text(encoding="utf-8"))
    }
    assert attached == ALLOWED_MANAGED.keys()


@pytest.mark.parametrize(
    ("policy", "starred"),
    [
        ('{ Sid = "A", Effect = "Allow", Action = "s3:*", Resource = aws_s3_bucket.this.arn }', ("s3:*",)),
        ('{ Sid = "A", Effect = "Allow", Action = ["s3:Get*", "a:B"], Resource = "*" }', ("s3:Get*", "*")),
        ('{ "Sid" = "A", "Effect" = "Allow", "NotAction" = "a:B", "Resource" = ["${x.arn}/*"] }', ("…/*",)),
        ('[for s in x : { Sid = "A", Effect = s, Action = "a:B", Resource = [for b in y : "${b}*"] }]', ("…*",)),
        ('{ sid = "A", actions = ["a:*"], resources = [] }', ("a:*",)),
        (
            '{ Sid = "A", Effect = "Allow", Action = "a:B", Resource = x, Condition = { Like = { y = "*" } } }',
            (),
        ),
    ],
)
def test_a_wildcard_is_seen(policy: str, starred: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "main.tf"
    file.write_text(
        f'resource "aws_iam_role_policy" "this" {{\n  policy = jsonencode({{ Statement = [{policy}] }})\n}}\n'
    )
    assert list(statements(file, tmp_path)) == [Statement(".", "A", starred)]


def test_a_wildcard_behind_a_local_is_seen(tmp_path: Path) -> None:
    (tmp_path / "locals.tf").write_text('locals {\n  everything = ["*"]\n}\n')
    file = tmp_path / "main.tf"
    file.write_text(
        'resource "aws_iam_role_policy" "this" {\n  policy = jsonencode({ Statement = [\n'
        '    { Sid = "A", Effect = "Allow", Action = "a:B", Resource = local.everything }\n  ] })\n}\n'
    )
    assert list(statements(file, tmp_path)) == [Statement(".", "A", ("*",))]


def test_a_wildcard_in_a_policy_document_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "main.tf"
    file.write_text(
        'data "aws_iam_policy_document" "this" {\n  statement {\n    sid = "A"\n    actions = ["*"]\n'
        '    resources = ["x"]\n  }\n}\n'
    )
    assert list(statements(file, tmp_path)) == [Statement(".", "A", ("*",))]
