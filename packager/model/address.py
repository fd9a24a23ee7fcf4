"""Where a file comes from: a path of the project, or a member of a registry package."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

SHA256 = r"^[0-9a-f]{64}$"


class PackageFile(BaseModel):
    """One file inside one pinned package of a registry, checked by its own sha256."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    package: str = Field(
        pattern=r"^[a-z]+:[^=\s-][^=\s]*==[^\s-]\S*$",
        examples=["pypi:silabs-mltk==0.20.0"],
        description="Registry, name and pinned version: `pypi:silabs-mltk==0.20.0`.",
    )
    archive: str | None = Field(
        default=None, description="File name of the archive, where the version has several (wheels)."
    )
    file: str = Field(
        min_length=1,
        description="Path inside the archive; `a.zip!b` opens a nested archive, `.` is the archive itself.",
    )
    sha256: str = Field(pattern=SHA256, description="64 hexadecimal digits in lower case. The hash of that file.")
    license: str | None = Field(default=None, description="SPDX expression, for NOTICE.")

    @property
    def registry(self) -> str:
        """The registry's name, a folder under `package_registries/`."""
        return self.package.partition(":")[0]

    @property
    def name(self) -> str:
        """The package's name in its registry."""
        return self.package.partition(":")[2].partition("==")[0]

    @property
    def version(self) -> str:
        """The pinned version."""
        return self.package.partition("==")[2]

    def __str__(self) -> str:
        return f"{self.package}!{self.file}"


Address = str | PackageFile
"""A path relative to the manifest, or a `PackageFile`."""
