"""Keys in the node's folder: made private, found again, refused when others could have read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from comity.adapters.keys import KeyFolder
from comity.adapters.keys.files import USES
from comity.kernel.errors import ComityError, LocalFault, NotAllowed, Unavailable, Usage

AT = 1_614_700_000_000_000


def only(folder: KeyFolder) -> Path:
    (path,) = folder.path.iterdir()
    return path


def test_a_key_is_found_again_after_a_restart(tmp_path: Path) -> None:
    made = KeyFolder(tmp_path / "keys").create("node", at=AT)
    again = KeyFolder(tmp_path / "keys")
    assert again.current("node") == made
    made.public.verify(again.current("node").sign(b"x"), b"x")
    assert again.find(made.public.keyid) == made
    assert again.find("0" * 64) is None


def test_folder_and_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = KeyFolder(tmp_path / "node" / "keys")
        for use in USES:
            folder.create(use, at=AT)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()] == [0o600] * len(USES)
    assert sorted(path.name.partition("-")[0] for path in folder.path.iterdir()) == sorted(USES)


def test_the_newest_key_is_current_and_the_older_one_stays(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    late = folder.create("node", at=AT + 1)
    early = folder.create("node", at=AT)
    assert folder.current("node") == late
    assert [record.key for record in folder.all("node")] == [early, late]
    assert [record.created for record in folder.all("node")] == [AT, AT + 1]
    assert folder.all("identity") == ()


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    assert len({folder.create("node", at=AT).public.keyid for _ in range(20)}) == 20


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o601])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    folder = KeyFolder(tmp_path / "keys")
    folder.create("identity", at=AT)
    only(folder).chmod(mode)
    with pytest.raises(NotAllowed) as refused:
        folder.current("identity")
    assert refused.value.code == "key-exposed"
    assert "chmod 600" in str(refused.value)
    only(folder).chmod(0o600)
    folder.current("identity")


@pytest.mark.parametrize("mode", [0o750, 0o711, 0o777])
def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path, mode: int) -> None:
    folder = KeyFolder(tmp_path / "keys")
    folder.create("identity", at=AT)
    folder.path.chmod(mode)
    for deed in (lambda: KeyFolder(tmp_path / "keys"), lambda: folder.current("identity")):
        with pytest.raises(NotAllowed) as refused:
            deed()
        assert refused.value.code == "key-exposed"


def test_an_identity_key_carried_away_is_missed_in_words(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    with pytest.raises(LocalFault) as refused:
        folder.current("identity")
    assert refused.value.code == "key-missing"


def test_a_use_nobody_knows_is_refused(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    for deed in (lambda: folder.create("../node", at=AT), lambda: folder.current("witness")):
        with pytest.raises(Usage) as refused:
            deed()
        assert refused.value.code == "key-use"
    assert list(tmp_path.iterdir()) == [folder.path]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"",
        lambda text: text[:-10],
        lambda text: b"[]",
        lambda text: b"null",
        lambda text: text.replace(b'"form":1', b'"form":2'),
        lambda text: text.replace(b'"use":"node"', b'"use":"log"'),
        lambda text: text.replace(b'"kdf":null', b'"kdf":{"name":"scrypt"}'),
        lambda text: text.replace(b'"seed":"', b'"seed":"00'),
        lambda text: text.replace(b'"seed":"', b'"seed":"x'),
        lambda text: text.replace(b'"seed":', b'"seed":1,"seeds":'),
        lambda text: text.replace(b'"keyid":"', b'"keyid":"f'),
        lambda text: text.replace(b'"created":"2', b'"created":"x'),
        lambda text: text + b"\x00" * 70_000,
    ],
)
def test_a_key_file_changed_by_hand_is_refused(tmp_path: Path, change: object) -> None:
    folder = KeyFolder(tmp_path / "keys")
    folder.create("node", at=AT)
    path = only(folder)
    before = path.read_bytes()
    path.write_bytes(change(before))  # type: ignore[operator]
    assert path.read_bytes() != before
    with pytest.raises(ComityError) as refused:
        folder.current("node")
    assert refused.value.code == "key-damaged"


def test_a_seed_put_under_another_keys_name_is_refused(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    folder.create("node", at=AT)
    first = only(folder)
    content = first.read_bytes()
    first.unlink()
    folder.create("node", at=AT)
    second = only(folder)
    second.write_bytes(content)
    with pytest.raises(LocalFault) as refused:
        folder.current("node")
    assert refused.value.code == "key-damaged"


def test_a_write_that_broke_off_leaves_no_key(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    made = folder.create("node", at=AT)
    (folder.path / ".node-0123456789abcdef.json.00.tmp").write_bytes(b'{"see')
    assert folder.current("node") == made


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable) as refused:
        KeyFolder(tmp_path / "file" / "keys")
    assert refused.value.code == "store-full"


def test_no_secret_shows_when_a_record_is_printed(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    folder.create("node", at=AT)
    seed = only(folder).read_bytes().partition(b'"seed":"')[2][:64].decode()
    assert len(bytes.fromhex(seed)) == 32
    assert seed not in repr(folder.all("node")) + repr(folder.current("node")) + repr(folder)
