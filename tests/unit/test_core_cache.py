from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from packager.core.cache import Cache
from packager.core.errors import BundleError
from packager.core.hashing import sha256_bytes

KEY = "ab" * 32
OTHER = "cd" * 32
ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def produced(tmp_path: Path, text: str = "content") -> Path:
    folder = tmp_path / f"produced-{time.monotonic_ns()}"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file.txt").write_text(text)
    (folder / "empty").mkdir()
    return folder


def left_overs(cache: Cache) -> list[Path]:
    return list((cache.root / "tmp").iterdir())


def test_reading_an_absent_cache_writes_nothing(cache: Cache) -> None:
    assert cache.get(KEY) is None
    assert cache.blob(KEY) is None
    assert cache.entries() == []
    assert not cache.root.exists()


def test_put_then_get(cache: Cache, tmp_path: Path) -> None:
    source = produced(tmp_path)
    put = cache.put(KEY, source, note={"kind": "action", "name": "convert"})
    assert not source.exists()
    assert cache.get(KEY) == put
    assert (put / "sub" / "file.txt").read_text() == "content"
    assert (put / "empty").is_dir()
    (entry,) = cache.entries()
    assert (entry.key, entry.kind, entry.note["name"]) == (KEY, "action", "convert")
    assert entry.size >= len("content")
    assert left_overs(cache) == []


def test_a_second_put_keeps_the_first(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, produced(tmp_path, "first"), note={})
    put = cache.put(KEY, produced(tmp_path, "second"), note={})
    assert (put / "sub" / "file.txt").read_text() == "first"
    assert left_overs(cache) == []


@pytest.mark.parametrize("harm", ["edit", "remove", "add", "index", "no-index"])
def test_a_corrupt_entry_is_removed_and_made_again(cache: Cache, tmp_path: Path, harm: str) -> None:
    folder = cache.put(KEY, produced(tmp_path), note={})
    match harm:
        case "edit":
            (folder / "sub" / "file.txt").write_text("Content")
        case "remove":
            (folder / "sub" / "file.txt").unlink()
        case "add":
            (folder / "more.txt").touch()
        case "index":
            (folder.parent / "index.json").write_text("[]")
        case _:
            (folder.parent / "index.json").unlink()
    assert cache.get(KEY) is None
    assert not folder.parent.exists()
    again = cache.put(KEY, produced(tmp_path, "again"), note={})
    assert cache.get(KEY) == again


def test_put_replaces_a_corrupt_entry(cache: Cache, tmp_path: Path) -> None:
    folder = cache.put(KEY, produced(tmp_path), note={})
    (folder / "sub" / "file.txt").write_text("harm")
    put = cache.put(KEY, produced(tmp_path, "sound"), note={})
    assert (put / "sub" / "file.txt").read_text() == "sound"


PUTTER = """
import sys, pathlib
from packager.core.cache import Cache
root, name = pathlib.Path(sys.argv[1]), sys.argv[2]
cache = Cache(root)
for number in range(40):
    with cache.temporary() as scratch:
        out = scratch / "out"
        out.mkdir()
        for index in range(5):
            (out / f"{index}.txt").write_text(f"{name} {index}" * 1000)
        put = cache.put(f"{number:064x}", out, note={})
        owners = {file.read_text().split()[0] for file in put.iterdir()}
        assert len(owners) == 1 and len(list(put.iterdir())) == 5, owners
"""


def test_processes_put_the_same_keys_at_once(cache: Cache) -> None:
    argv = [sys.executable, "-c", PUTTER, str(cache.root)]
    running = [
        subprocess.Popen([*argv, name], env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE)
        for name in "abc"
    ]
    for process in running:
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr.decode()
    assert len(cache.entries()) == 40
    assert all(cache.get(entry.key) for entry in cache.entries())
    assert left_overs(cache) == []


def test_threads_share_one_cache(cache: Cache, tmp_path: Path) -> None:
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for index in range(10):
                folder = tmp_path / f"thread-{number}-{index}"
                folder.mkdir()
                (folder / "owner").write_text(str(number))
                assert (cache.put(f"{index:064x}", folder, note={}) / "owner").is_file()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(cache.entries()) == 10


def test_temporary_is_gone_afterwards_also_after_an_error(cache: Cache) -> None:
    def use() -> None:
        with cache.temporary() as folder:
            (folder / "half").touch()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        use()
    assert left_overs(cache) == []


def test_the_temporary_folder_of_a_dead_process_is_swept_and_a_live_one_is_not(cache: Cache) -> None:
    dead = cache.root / "tmp" / "dead"
    with cache.temporary() as live:
        dead.mkdir()
        (dead / "half").touch()
        long_ago = time.time() - 3600
        os.utime(dead, (long_ago, long_ago))
        os.utime(live, (long_ago, long_ago))
        with Cache(cache.root).temporary():
            assert not dead.exists()
            assert live.exists()


def test_blobs_are_verified_and_keep_their_suffix(cache: Cache, tmp_path: Path) -> None:
    data = b"weights"
    digest = sha256_bytes(data)
    (tmp_path / "model.h5").write_bytes(data)
    kept = cache.put_blob(tmp_path / "model.h5", digest)
    assert kept.name == "model.h5"
    assert cache.blob(digest) == kept
    other = cache.blob(digest, "other.keras")
    assert other is not None
    assert (other.name, other.read_bytes()) == ("other.keras", data)
    (entry,) = cache.entries()
    assert (entry.kind, entry.size) == ("blob", len(data))
    other.write_bytes(b"wrong")
    assert cache.blob(digest, "other.keras") is None
    assert cache.blob(digest) is None


def test_put_blob_refuses_a_wrong_digest(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(BundleError, match="does not have the sha256"):
        cache.put_blob(tmp_path / "file", "0" * 64)
    assert cache.blob("0" * 64) is None


def test_prune_by_age_and_by_size(cache: Cache, tmp_path: Path) -> None:
    for age, key in enumerate([KEY, OTHER, "ef" * 32]):
        folder = cache.put(key, produced(tmp_path, "x" * 1000), note={})
        used = time.time() - (10 - age) * 86400
        os.utime(folder.parent / "index.json", (used, used))
    logs = cache.root / "logs"
    logs.mkdir()
    for name, age in (("old.log", 10), ("new.log", 1)):
        (logs / name).touch()
        os.utime(logs / name, (time.time() - age * 86400,) * 2)
    assert [entry.key for entry in cache.prune(max_age_days=9.5)] == [KEY]
    assert [log.name for log in logs.iterdir()] == ["new.log"]
    assert cache.get(OTHER) is not None  # now the last used
    assert [entry.key for entry in cache.prune(max_bytes=1500)] == ["ef" * 32]
    assert [entry.key for entry in cache.entries()] == [OTHER]
    cache.clear()
    assert cache.entries() == []
    assert not logs.exists()


HOLDER = """
import sys, pathlib
from packager.core.cache import Cache
cache = Cache(pathlib.Path(sys.argv[1]))
assert cache.get(sys.argv[2]) is not None
print("holding", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no advisory locks")
def test_a_cache_in_use_is_not_pruned(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, produced(tmp_path), note={})
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(cache.root), KEY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"holding\n"
    with pytest.raises(BundleError, match="another packager is using the cache"):
        cache.clear()
    holder.communicate(timeout=60)
    assert cache.get(KEY) is not None
    cache.clear()
    assert cache.get(KEY) is None


def test_a_full_disk_is_an_error_with_a_hint(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("packager.core.cache.shutil.move", full)
    with pytest.raises(BundleError, match="cannot be written: No space left") as caught:
        cache.put(KEY, produced(tmp_path), note={})
    assert "prune" in caught.value.findings[0].hint
    assert cache.get(KEY) is None
    assert left_overs(cache) == []


@pytest.mark.parametrize("key", ["", "../../etc", "AB" * 32, "ab" * 40])
def test_a_key_is_hexadecimal(cache: Cache, key: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        cache.get(key)
