"""What people type, as argparse's types: paths, words and names of edits. None of them is empty."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

from talker.core.text import path_of, text_of
from talker.projects.names import check_name, edit_name


def given_path(text: str) -> Path:
    """A path as the shell gives it, or as talker has shown it."""
    return path_of(_not_empty(text, "a path"))


def given_word(text: str) -> str:
    return text_of(_not_empty(text, "a word"))


def given_edit(text: str) -> str:
    """The name of an edit."""
    return check_name(edit_name(text_of(_not_empty(text, "the name of an edit"))))


def _not_empty(text: str, what: str) -> str:
    if not text.strip():
        raise ArgumentTypeError(f"is empty; give {what}")
    return text
