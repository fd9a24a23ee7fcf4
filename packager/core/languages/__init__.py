"""Names and literals in the languages of the generated projects."""

from __future__ import annotations

from packager.core.languages.base import Language, camel, constant_case, pascal, snake
from packager.core.languages.cpp import Cpp
from packager.core.languages.kotlin import Kotlin
from packager.core.languages.swift import Swift

LANGUAGES: dict[str, Language] = {"cpp": Cpp(), "kotlin": Kotlin(), "swift": Swift()}

__all__ = ["LANGUAGES", "Language", "camel", "constant_case", "pascal", "snake"]
