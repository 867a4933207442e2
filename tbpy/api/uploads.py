"""Datafiles of a project as clients send them: a part of a multipart form for each file.

The name of a part says what it is, its file name is the file's path in the project. Source: what published clients
send to `/v1/build` and `/v1/deploy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from tbpy.api.bodies import limited
from tbpy.datafiles import Kind
from tbpy.errors import UsageError
from tbpy.project import is_datafile_path

OWN, VENDORED = "data_project://", "data_project_vendored://"
_SUFFIXES = tuple(f".{kind}" for kind in Kind)
_MOST_BYTES = 100 << 20
_MOST_FILES = 20_000


async def read_datafiles(request: Request) -> dict[str, str]:
    """The text of each file by its path, with forward slashes. Raises `UsageError` for what is no such form."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UsageError("Send the datafiles as multipart/form-data")
    body = limited(request, _MOST_BYTES)
    parser = MultiPartParser(request.headers, body, max_files=_MOST_FILES, max_fields=_MOST_FILES)  # type: ignore[arg-type]
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise UsageError(f"The multipart body cannot be read: {error.message}") from error
    files: dict[str, str] = {}
    try:
        for name, part in form.multi_items():
            if name in (OWN, VENDORED) and isinstance(part, UploadFile):
                path = _path(part.filename or "", vendored=name == VENDORED)
                if path in files:
                    raise UsageError(f"{path} was sent twice")
                files[path] = _text(path, await part.read())
    finally:
        await form.close()
    return files


def same_files(folder: Path, files: Mapping[str, str]) -> bool:
    """Whether a folder has all of these files as they are here."""
    return all(_same(folder / name, text) for name, text in files.items())


def _path(text: str, *, vendored: bool) -> str:
    """Where the file goes. One too deep for a project to find goes to the top: only its name means something."""
    path = PurePosixPath(text.replace("\\", "/"))
    if not text or path.is_absolute() or ".." in path.parts or "\0" in text or path.suffix not in _SUFFIXES:
        raise UsageError(f"{text!r} is no path of a datafile in a project")
    if vendored:
        return str(path if path.parts[0] == "vendor" else PurePosixPath("vendor", *path.parts))
    return str(path) if is_datafile_path(path) else path.name


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text") from error


def _same(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False
