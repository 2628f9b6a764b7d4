"""The tables of inputs and outputs in the modules' READMEs are those of the modules."""

import re
from pathlib import Path

import pytest

import terraform_docs

TERRAFORM = Path(__file__).parents[2] / "terraform"


def test_the_readmes_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert terraform_docs.main(["--check"]) == 0, capsys.readouterr().err


def test_the_example_explains_every_variable_of_the_root_and_no_other() -> None:
    variables = set(re.findall(r'^variable "(\w+)"', (TERRAFORM / "variables.tf").read_text(), re.MULTILINE))
    example = (TERRAFORM / "terraform.tfvars.example").read_text()
    assigned = set(re.findall(r"^# (\w+) += ", example, re.MULTILINE))
    assert assigned <= variables
    # These are make's, and the head of the file says so.
    assert {name for name in variables - assigned if name in example.split("\n\n")[0]} == variables - assigned
    assert "identifier" in variables - assigned


@pytest.fixture
def root(tmp_path: Path) -> Path:
    module = tmp_path / "modules" / "box"
    module.mkdir(parents=True)
    for folder in (tmp_path, module):
        (folder / "README.md").write_text(f"# A box\n\n{terraform_docs.BEGIN}\n{terraform_docs.END}\n\nafter\n")
    (module / "variables.tf").write_text(
        'variable "size" {\n  description = "Width | height, in \\"mm\\"."\n'
        "  type = object({ width = number, height = optional(number, 1) })\n  default = { width = 2 }\n}\n"
        'variable "name" {\n  description = "Its name."\n  type = string\n}\n'
    )
    (module / "outputs.tf").write_text('output "id" {\n  description = "Its id."\n  value = 1\n}\n')
    return tmp_path


def readme(root: Path) -> str:
    return (root / "modules" / "box" / "README.md").read_text()


def test_a_table_has_name_description_type_and_default(root: Path) -> None:
    assert terraform_docs.main(["--root", str(root)]) == 0
    text = readme(root)
    assert (
        '| `size` | Width \\| height, in "mm". '
        "| `object({ width = number, height = optional(number, 1) })` | `{ width = 2 }` |"
    ) in text
    assert "| `name` | Its name. | `string` | **required** |" in text
    assert "| `id` | Its id. |" in text
    assert text.startswith("# A box\n")
    assert text.endswith("\n\nafter\n"), "what stands around the tables is left alone"


@pytest.mark.parametrize(
    ("old", "new"),
    [("Its name.", "Its new name."), ("string", "number"), ("{ width = 2 }", "{ width = 3 }"), ('"name"', '"title"')],
)
def test_any_change_of_an_input_is_drift(root: Path, old: str, new: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert terraform_docs.main(["--root", str(root)]) == 0
    assert terraform_docs.main(["--root", str(root), "--check"]) == 0
    before = readme(root)
    variables = root / "modules" / "box" / "variables.tf"
    variables.write_text(variables.read_text().replace(old, new))

    assert terraform_docs.main(["--root", str(root), "--check"]) == 1
    assert "box/README.md: the tables are not those of the module: run `make terraform/docs`" in capsys.readouterr().err
    assert readme(root) == before, "--check writes nothing"


def test_what_is_missing_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "README.md").unlink()
    (root / "modules" / "box" / "outputs.tf").write_text('output "id" {\n  value = 1\n}\n')
    assert terraform_docs.main(["--root", str(root)]) == 1
    errors = capsys.readouterr().err
    assert "README.md: is missing" in errors
    assert "output 'id' has no description" in errors
