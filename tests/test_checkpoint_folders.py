"""Folders of reference images beside checkpoints: which go with a checkpoint that is replaced, and what never does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.checkpoint_files import copy_checkpoint
from tests.test_checkpoint_references import STEP_M, drives
from vidtag_engine.models import VidTAG, VidTAGConfig
from vidtag_engine.models.checkpoint import CheckpointCard, save_pretrained
from vidtag_engine.models.checkpoint_references import PREFIX, CardReferences, clear_orphans, copied, named_by, opened
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.descriptor import SCALES
from vidtag_engine.reference.store import Store
from vidtag_engine.training.kept_references import keep
from vidtag_engine.types import InputError


@pytest.fixture(scope="module")
def model() -> VidTAG:
    return VidTAG(VidTAGConfig.preset("vidtag-compact", sigma="site"))


def kept(folder: Path, seed: int = 0) -> CardReferences:
    """A database as a training leaves it, of the same drives for the same seed."""
    torch.manual_seed(seed)
    some = drives(2, 20, seed)
    whitening = [torch.nn.Linear(24, 12) for _ in SCALES]
    memory = ReferenceDatabase.remembering(whitening, [(torch.from_numpy(s.seen), torch.from_numpy(s.lat_lon_deg)) for s in some])
    return keep(folder, memory, some, "vidtag-compact", STEP_M)


def changed(folder: Path) -> Store:
    """One image less."""
    store = Store.open(folder)
    return store.remove(np.arange(len(store.rows)) == 3)


def memory_of(folder: Path, card: CardReferences) -> StoredReferences:
    found = opened(folder / "model.safetensors", card)
    assert found is not None
    return found


def there(folder: Path) -> set[str]:
    return {one.name for one in folder.glob(f"{PREFIX}*")}


def save(model: VidTAG, path: Path, references: CardReferences) -> None:
    save_pretrained(model, path, CheckpointCard("field", "vidtag-compact", references=references))


def test_a_checkpoint_takes_the_images_of_the_one_that_it_replaces_with_it(model, tmp_path):
    first, second, third = (kept(tmp_path, seed) for seed in range(3))
    save(model, tmp_path, first)
    assert there(tmp_path) == {first.folder, second.folder, third.folder}  # another program may be about to name them
    save(model, tmp_path, second)
    assert there(tmp_path) == {second.folder, third.folder}
    save(model, tmp_path, second)
    assert there(tmp_path) == {second.folder, third.folder}
    changed(tmp_path / second.folder)
    save(model, tmp_path, third)
    assert there(tmp_path) == {second.folder, third.folder}


def test_images_that_another_checkpoint_in_the_folder_names_stay(model, tmp_path):
    first, second = kept(tmp_path, 0), kept(tmp_path, 1)
    save(model, tmp_path, first)
    shutil.copy(tmp_path / "model.safetensors", tmp_path / "before.safetensors")
    save(model, tmp_path, second)
    clear_orphans(tmp_path)
    assert there(tmp_path) == {first.folder, second.folder}
    save(model, tmp_path / "before.safetensors", second)
    assert there(tmp_path) == {second.folder}


def test_of_what_no_checkpoint_names_that_alone_goes_which_a_training_made_and_nobody_touched(model, tmp_path):
    orphan, pruned, noted, mine = (kept(tmp_path, seed) for seed in range(4))
    save(model, tmp_path, mine)
    changed(tmp_path / pruned.folder)
    (tmp_path / noted.folder / "notes.txt").write_text("mine")
    others = [f"{PREFIX}notes", f"{PREFIX}0badcafe1", f"{PREFIX}0BADCAFE", f"{PREFIX}0badcaf", f"my-{PREFIX}0badcafe"]
    for name in others:
        shutil.copytree(tmp_path / orphan.folder, tmp_path / name)
    kept_elsewhere = kept(tmp_path / "elsewhere", 5)
    (tmp_path / f"{PREFIX}11111111").symlink_to(tmp_path / "elsewhere" / kept_elsewhere.folder)
    (tmp_path / f"{PREFIX}22222222").mkdir()
    before = {one.name for one in tmp_path.iterdir()}
    clear_orphans(tmp_path)
    assert before - {one.name for one in tmp_path.iterdir()} == {orphan.folder}
    assert Store.open(tmp_path / "elsewhere" / kept_elsewhere.folder)


@pytest.mark.parametrize("name", ["notes", "0BADCAFE", "0badcafe1", "0badcafe/", "0badcafe\n", "../0badcafe"])
def test_a_card_names_no_other_folder(name, tmp_path):
    with pytest.raises(InputError, match="it is damaged"):
        opened(tmp_path / "model.safetensors", CardReferences(f"{PREFIX}{name}"))


def test_images_are_brought_along_once_and_take_no_others_place(tmp_path):
    card = kept(tmp_path / "mine")
    memory = memory_of(tmp_path / "mine", card)
    (tmp_path / "new").mkdir()
    for _ in range(2):
        copied(memory, card, tmp_path / "new")
        assert Store.open(tmp_path / "new" / card.folder).content == card.content
    copied(memory, card, tmp_path / "mine")
    changed(tmp_path / "new" / card.folder)
    with pytest.raises(InputError, match=f"{card.folder} holds something else than the reference images of the checkpoint: move it away"):
        copied(memory, card, tmp_path / "new")
    assert Store.open(tmp_path / "new" / card.folder).there.sum() == len(memory) - 1
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / card.folder).write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        copied(memory, card, tmp_path / "third")


def test_a_copied_checkpoint_is_whole_and_leaves_none_of_the_images_that_were_there(model, tmp_path):
    cards = [kept(tmp_path / name, seed) for seed, name in enumerate(("a", "b"))]
    for name, card in zip(("a", "b"), cards, strict=True):
        save(model, tmp_path / name, card)
        (tmp_path / name / "log.json").write_text(name)
        copy_checkpoint(tmp_path / name, tmp_path / "kept", "log.json")
        assert named_by(tmp_path / "kept" / "config.json", tmp_path / "kept" / "model.safetensors") == {card.folder}
        assert there(tmp_path / "kept") == {card.folder}
        assert memory_of(tmp_path / "kept", card).store.content == card.content
        assert (tmp_path / "kept" / "log.json").read_text() == name
    assert (tmp_path / "a" / cards[0].folder).is_dir()
