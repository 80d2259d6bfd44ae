"""The documentation says what the program does."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.gateway import errors as gateway_errors
from services.kernel import errors as kernel_errors
from services.kernel.errors import ImeceError
from services.kernel.workflow import Procedure
from services.petitions.domain.policy import Policy as PetitionPolicy
from services.petitions.domain.procedure import petition_procedure
from services.protocols.domain.policy import Policy
from services.protocols.domain.procedure import protocol_procedure
from services.runtime.settings import Settings, settings_table

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@cache
def generator() -> Any:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prose(page: Path) -> str:
    """The page without its code, where brackets mean something else."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"(?ms)^```.*?^```", "", page.read_text()))


def headings(page: Path) -> set[str]:
    """The anchors that a reader's browser makes of the headings."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text())
    return {
        re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)$", text)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in headings(found), target


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_every_page_is_reached_from_the_index(page: Path) -> None:
    index = ROOT / "docs/index.md"
    reached = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(prose(index))}
    assert page == index or page in reached


@pytest.mark.parametrize("path", sorted(generator().rendered()), ids=lambda path: path.name)
def test_generated_pages_are_up_to_date(path: Path) -> None:
    assert generator().rendered()[path] == path.read_text(), "run make diagrams"


def test_the_table_of_settings_is_complete() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text()
    assert settings_table() in page
    assert [] == [each.name for each in fields(Settings) if f"`IMECE_{each.name.upper()}`" not in page]


def test_settings_that_pages_name_exist() -> None:
    known = {f"IMECE_{each.name.upper()}" for each in fields(Settings)}
    for page in PAGES:
        named = set(re.findall(r"\bIMECE_[A-Z_]*[A-Z]\b", page.read_text()))
        assert set() == named - known, page.name


def test_every_dependency_is_explained_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    explained = re.findall(r"(?m)^\| `([a-z0-9-]+)` \|", (ROOT / "docs/dependencies.md").read_text())
    assert sorted(re.split(r"[\[=<>~!; ]", each)[0].lower() for each in declared) == sorted(explained)


def test_every_error_code_is_explained_and_no_other() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    kinds = {
        kind.code
        for module in (kernel_errors, gateway_errors)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, ImeceError) and kind is not ImeceError
    }
    written = set(re.findall(r'\bcode="([a-z_]+)"', source)) | set(
        re.findall(r'problem\(\s*\d{3}, "([a-z_]+)"', source)
    )
    page = (ROOT / "docs/reference/errors.md").read_text()
    explained = set(re.findall(r"(?m)^\| \d{3} \| `([a-z_]+)` \|", page))
    assert kinds | written | {"internal_error"} == explained


def test_the_law_page_names_guards_and_clocks_that_exist() -> None:
    page = (ROOT / "docs/explanation/law.md").read_text()
    procedures: list[Procedure[Any]] = [protocol_procedure(Policy()), petition_procedure(PetitionPolicy())]
    clocks = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", page)) - _settings()
    assert set() == clocks - {kind for procedure in procedures for kind in procedure.terms}
    moves = [move for procedure in procedures for move in procedure.moves]
    guards = {each.name for move in moves for each in (*move.preconditions, *move.guards)}
    said = set(re.findall(r"`([a-z]+(?:_[a-z]+){2,})`", page))
    known = guards | {move.name for move in moves} | {name for move in moves for name in move.needs}
    assert set() == said - known


def _settings() -> set[str]:
    return {f"IMECE_{each.name.upper()}" for each in fields(Settings)}


def test_settled_choices_show_the_defaults_of_the_program() -> None:
    page = (ROOT / "docs/explanation/law.md").read_text()
    rows = re.findall(r"(?m)^\| [^|]* \| `IMECE_([A-Z_]+)` \| `?([a-z0-9]+)`? \|", page)
    defaults = {each.name.upper(): str(each.default).lower() for each in fields(Settings)}
    assert len(rows) >= len(fields(Policy))
    assert [] == [(name, said) for name, said in rows if defaults[name] != said]


def test_drawings_hold_nothing_that_ends_a_statement_early() -> None:
    for page in (ROOT / "README.md", ROOT / "docs/reference/procedure.md"):
        for drawing in re.findall(r"(?ms)^```mermaid\n(.*?)^```", page.read_text()):
            assert ";" not in drawing
            for line in drawing.splitlines():
                assert line.count(":") <= 1, line


def test_pages_name_no_machine_of_ours() -> None:
    for page in PAGES:
        assert not re.search(r"/(work|root|home)/|/tmp/w", page.read_text()), page.name
