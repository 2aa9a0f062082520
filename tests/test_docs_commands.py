"""Every command of the README and of every page is run as it stands there, in a folder that holds what it names; those that cannot be are listed, with why."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tests import docs_commands, docs_folder
from vidtag_engine.cli.app import app

ROOT = docs_commands.ROOT
DOCS = docs_commands.DOCS
COMMANDS = [block for page in docs_commands.shown_pages() for block in docs_commands.commands(page)]
# Lines that no test can run, by how they begin, and why. Their options, names of algorithms and targets of make are checked all the same.
NOT_RUN = {
    "make demo": "installs system packages as root; the hosted CI runs it, and test_docs.py runs the same steps",
    "make test": "it would run itself",
    "tools/vidtag geolocate my.mp4 --show": "`geoclip` fetches CLIP's weights; test_show.py runs it with the demo's checkpoint",
    "vidtag geolocate holiday.mp4": "`geoclip` fetches CLIP's weights",
    "vidtag geolocate clips/": "`geoclip` fetches CLIP's weights",
    "vidtag geolocate --images photos/": "`geoclip` fetches CLIP's weights",
    "vidtag gallery --aoi 'https://": "example.org has no such file; test_vectors.py reads from a server of its own",
    "vidtag gallery --aoi 'zip+https://": "example.org has no such file; test_vectors.py reads from a server of its own",
    "vidtag train --dataset": "the data sets are asked for at their owners; test_datasets_msls.py makes such folders",
    "vidtag train    --dataset": "the data sets are asked for at their owners; test_datasets_msls.py makes such folders",
    "vidtag train-city --dataset": "the data sets are asked for at their owners; test_datasets_cityguessr68k.py makes such folders",
    "vidtag train-city --video drives/ --truth drives/ --output": "no gazetteer knows the demo's isle; test_training_city.py lets one name real towns",
    "vidtag evaluate --dataset": "the data sets are asked for at their owners; test_evaluation_on_dataset.py makes such folders",
    "vidtag train --video flight1.mp4": "encodes 76 pictures eleven times, for minutes; test_example.py trains on them",
    "vidtag calibrate old-checkpoint": "three dots stand for six more videos; the line above it is run",
    "vidtag reference build --source": "asks a platform; test_reference_panoramax.py runs it against a server of its own",
    "vidtag reference refresh": "asks a platform; test_reference_refresh.py runs it against a server of its own",
    "vidtag reference build --images photos/": "the photographs are the reader's; test_reference_folder.py makes some",
    "vidtag geolocate --cluster tcp://10.0.0.1:8786": "asks for a cluster of several machines; test_clustered.py has one of several processes",
    "vidtag features --video drives/ --truth drives/ --output features --cluster": "there is no scheduler; test_features_cluster.py starts one",
    "vidtag features --dataset": "the data sets are asked for at their owners; test_features_command.py makes such folders",
    "vidtag caches clear gallery network --older-than": "clears the caches of whoever runs the tests; test_caches.py has some of its own",
    "python3 -m venv vidtag-env": "fetches PyTorch, several GB",
    "vidtag-env/bin/": "of that environment",
    "python3 -m pip wheel": "fetches PyTorch, several GB",
    "python3 -m vidtag_qgis.engine_client": "asks for consent and fetches PyTorch; test_plugin_environment.py runs it with wheels of its own",
    "python -m simulator": "renders for hours; test_phantom_isles.py renders a small one",
}
# Trained for minutes: run with fewer steps.
SHORTER = {
    "vidtag train ": " --phase1-steps 2 --phase2-steps 0",
    "qgis_process run vidtag:finetune ": " PHASE1_STEPS=2 PHASE2_STEPS=0",
}
BATCH = "vidtag geolocate drives/ --aoi aoi.geojson --checkpoint checkpoint --resolution-m 25 --to 5"
# What a reader has done before, where the page only says so.
BEFORE = {
    "vidtag geolocate drive.mp4 --aoi town.geojson --roads roads.gpkg --checkpoint none --motion-track motion.csv --output by-track.gpkg": [
        'python -c "import numpy as np; from pathlib import Path; from vidtag_engine.video import read_track;'
        " from vidtag_engine.geodesy import courses_deg, haversine_m; t = read_track(Path('drive.gpx')); s = t.time_s - t.time_s[0];"
        " m = np.gradient(np.concatenate([[0], np.cumsum(haversine_m(t.lat_deg[:-1], t.lon_deg[:-1], t.lat_deg[1:], t.lon_deg[1:]))]), s);"
        " c = courses_deg(t.lat_deg, t.lon_deg);"
        " Path('motion.csv').write_text('time_s,heading_deg,speed_mps\\n' + '\\n'.join(f'{a},{b},{v}' for a, b, v in zip(s, c, m)))\""
    ],
    "vidtag merge drives.results": [f"{BATCH} --output drives.gpkg"],
    "vidtag merge store/ --output drives.gpkg": [f"{BATCH} --results store/"],
    "vidtag merge from-monday/ from-tuesday/ --output both.gpkg": [
        f"{BATCH} --results from-monday/ --shard 1/2",
        f"{BATCH} --results from-tuesday/ --shard 2/2",
    ],
    'vidtag pins drive.gpkg --note 1 --why "the church on the left"': [
        "vidtag pin drive.gpkg --frame 20 --at -19.2190,159.9300 --not-here"
    ],
    "vidtag review remove drive.gpkg --number 1": [
        "vidtag review add drive.gpkg --from-s 1 --state accepted",
        "vidtag review add drive.gpkg --from-s 2 --state accepted",
    ],
    "vidtag review remove drive.gpkg": ["vidtag review add drive.gpkg --from-s 3 --state accepted"],
    "vidtag pins drive.gpkg --remove 2": [
        "vidtag pin drive.gpkg --frame 3 --at -19.2195,159.9268",
        "vidtag pin drive.gpkg --frame 30 --at -19.2190,159.9260",
    ],
}


def _reason(line: str) -> str | None:
    return next((why for start, why in NOT_RUN.items() if line.strip().startswith(start)), None)


def _own_folder(page: Path) -> bool:
    """Whether a page's blocks stand for themselves, as in a reference, and not for steps that follow each other."""
    return page.parent.name == "reference"


def _scripts(blocks: list[docs_commands.Block]) -> str:
    """A page for the shell: first its commands, then all of its Python in one go, as in one session."""
    python = "\n".join(block.text for block in blocks if block.kind == "python")
    session = [f"python - <<'END_OF_BLOCK'\n{python}\nEND_OF_BLOCK"] if python else []
    return "\n".join([*filter(None, map(_script, blocks)), *session])


RUN_ELSEWHERE = {"tutorial.md"}  # test_docs.py runs it, and looks at what comes out


def _runs() -> list[tuple[Path, list[docs_commands.Block]]]:
    found: list[tuple[Path, list[docs_commands.Block]]] = []
    for block in COMMANDS:
        if found and found[-1][0] == block.page and not _own_folder(block.page):
            found[-1][1].append(block)
        else:
            found.append((block.page, [block]))
    return [(page, blocks) for page, blocks in found if _scripts(blocks) and page.name not in RUN_ELSEWHERE]


def _script(block: docs_commands.Block) -> str:
    """A block for the shell, without what cannot be run; empty for Python."""
    if block.kind == "python":
        return ""
    lines: list[str] = []
    for line in block.text.splitlines():
        if _reason(line) or not line.strip():
            continue
        if longer := next((more for start, more in SHORTER.items() if line.startswith(start) and "steps" not in line), None):
            # Into a folder of its own: the reader's checkpoint, that later lines name, is the demo's.
            lines += [re.sub("(--output |OUTPUT=)", r"\1trained-", line) + longer]
        else:
            lines += [*BEFORE.get(line.strip(), []), line]
    return "\n".join(lines)


RUNS = _runs()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder that every page starts from, made once."""
    folder = docs_folder.prepared(tmp_path_factory.mktemp("docs"))
    docs_folder.with_roads(folder)
    docs_folder.with_others(folder)
    docs_folder.with_result(folder)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("page", "blocks"), RUNS, ids=[blocks[0].name for _, blocks in RUNS])
def test_what_a_page_shows_runs(tmp_path, kept, page, blocks):
    script = _scripts(blocks)
    home, programs, variables = docs_commands.reader(tmp_path)
    if "qgis_process" in script and not (programs / "qgis_process").exists():
        pytest.skip("QGIS is not installed")
    docs_commands.program(programs / "python", f'PYTHONPATH="{ROOT}" BROWSER=true exec "{sys.executable}" "$@"')
    folder = home
    if not re.search(r"^(cd vidtag-demo|make |tools/|PYTHONPATH=)", script, re.MULTILINE):
        folder = tmp_path / "vidtag-demo"
        shutil.copytree(kept, folder)
        if re.search(r"(-o|--output |OUTPUT=)drive\.gpkg|--output drive\.gpkg", script):
            shutil.rmtree(folder / "drive.scores", ignore_errors=True)
            (folder / "drive.gpkg").unlink()
        if re.search("train .*--output my-town", script):
            shutil.rmtree(folder / "my-town")
    docs_commands.run_shell(str(page.relative_to(ROOT)), script, folder, programs, variables)


def test_pages_show_many_and_most_are_run():
    lines = [line for block in COMMANDS for line in block.text.splitlines() if line.strip()]
    assert len(lines) > 90
    run = [line for line in lines if not _reason(line)]
    assert len(run) > 60


def test_what_is_not_run_is_still_shown_somewhere():
    lines = [line.strip() for block in COMMANDS for line in block.text.splitlines()]
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)] == []
    assert [line for line in BEFORE if line not in lines] == []


def _inline() -> list[tuple[str, str]]:
    """Commands in running text, but for those of bad input, which their benchmark makes."""
    return [
        (page.name, found)
        for page in docs_commands.shown_pages()
        if page.name != "bad-inputs.md"
        for found in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))
    ]


def test_every_option_of_vidtag_is_one():
    """Of blocks and of running text, run or not."""
    commands = typer.main.get_command(app).commands
    shown = [(block.page.name, line) for block in COMMANDS if block.kind == "sh" for line in block.text.splitlines()]
    checked = 0
    for page, line in [*shown, *_inline()]:
        if not re.match(r"(tools/|\S*bin/)?vidtag [a-z]", line) or "…" in line:
            continue
        for given in docs_commands.words(line):
            if len(given) < 2 or not given[0].endswith("vidtag"):
                continue
            assert given[1] in commands, f"{page}: {line}"
            command = commands[given[1]]
            if hasattr(command, "commands"):
                # A group that has a command `list` takes it for the one that is meant where none is named.
                member = given[2] if given[2:3] and given[2] in command.commands else "list"
                assert member in command.commands, f"{page}: {line}"
                command = command.commands[member]
            known = {name for one in command.params for name in [*one.opts, *one.secondary_opts]} | {"--help"}
            options = {word.partition("=")[0] for word in given[2:] if re.match(r"--?[a-z]", word)}
            assert options <= known, f"{page}: {line}"
            checked += 1
    assert checked > 80


def test_every_target_of_make_and_every_tool_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = [line for block in COMMANDS for line in block.text.splitlines()]
    for line in [*shown, *(found for _, found in _inline())]:
        if made := re.match(r"make ([a-z-]+)", line):
            assert made[1] in targets, line
        for tool in re.findall(r"(?:^|[ (/])(tools/[\w./-]+\w)", line):
            assert (ROOT / tool).exists(), line
        if module := re.match(r"python3? -m ((?:simulator|benchmarks|vidtag_qgis)[\w.]*)", line):
            assert (ROOT / module[1].replace(".", "/")).is_dir(), line


def test_every_subcommand_of_the_simulator_is_one():
    said = subprocess.run([sys.executable, "-m", "simulator", "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    shown = [
        found for page in docs_commands.shown_pages() for found in re.findall(r"python -m simulator ([a-z-]+)", page.read_text("utf-8"))
    ]
    assert shown
    assert [name for name in shown if name not in said] == []


def test_every_algorithm_shown_has_its_parameters():
    lines = [line for block in COMMANDS for line in block.text.splitlines()]
    found = [run for line in lines if (run := re.search(r"run vidtag:(\w+) -- (.*)", line))]
    assert len(found) > 12
    for run in found:
        told = (ROOT / "resources" / "help" / f"{run[1]}.html").read_text(encoding="utf-8")
        for word in shlex.split(run[2]):
            assert f"<code>{word.partition('=')[0]}</code>" in told, run[0]
