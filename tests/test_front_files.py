"""What a stranger meets first: the README on one screen, a citation, templates, a hosted CI that runs the two commands, and `tools/vidtag`."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import vidtag_engine

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_short_shows_a_result_first_and_says_its_limits_on_the_first_screen():
    lines = README.splitlines()
    assert len(lines) <= 80
    assert any(line.startswith("![") for line in lines[:6])
    assert next(number for number, line in enumerate(lines) if "What it does not do" in line) < 15
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def _sentences(page):
    text = re.sub(r"(?ms)^ *```.*?^ *```$", ".", page.read_text(encoding="utf-8"))
    text = re.sub(r"(?m)^( {4}(?! )|\|).*$", ".", text)  # code and tables
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.split(r"[.!?:;](?:\*\*|\))?(?:\s|$)|\n\s*(?:[-#]|\d\.)|\n\n", text)


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/tutorial.md", "docs/start", "docs/how-to"])
def test_no_sentence_is_over_thirty_words(page):
    for one in sorted((ROOT / page).glob("*.md")) or [ROOT / page]:
        for sentence in _sentences(one):
            assert len(sentence.split()) <= 30, f"{one.name}: {sentence}"


def test_every_benchmark_that_it_names_is_one():
    from benchmarks.__main__ import NAMES

    pages = README + (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"python -m benchmarks (\w+)", pages)) <= set(NAMES)


def test_the_citation_names_this_and_the_paper():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == vidtag_engine.__version__
    assert cited["preferred-citation"]["year"] == 2026
    assert [one["family-names"] for one in cited["preferred-citation"]["authors"]] == ["Kulkarni", "Gupta", "Chhipa", "Shah"]


def test_the_hosted_ci_runs_the_two_commands():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))["jobs"]
    runs = [step.get("run") for job in jobs.values() for step in job["steps"]]
    assert "make demo" in runs
    assert "make test" in runs
    for template in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(template.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= set(form)


@pytest.mark.parametrize("how", ["by its path", "by a link"])
def test_the_command_line_of_a_checkout(tmp_path, how):
    program = ROOT / "tools" / "vidtag"
    if how == "by a link":
        (tmp_path / "vidtag").symlink_to(program)
        program = tmp_path / "vidtag"
    run = subprocess.run([program, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert run.stdout.strip() == f"vidtag {vidtag_engine.__version__}"


def test_pages_quote_the_demos_checkpoint_as_it_is():
    card = json.loads((ROOT / "resources" / "demo" / "checkpoint" / "config.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "how-to" / "train.md").read_text(encoding="utf-8")
    assert f"of the demo's checkpoint {card['metrics']['phase1_median_m']:.0f} m" in page
