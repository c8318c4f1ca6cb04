"""What may come in when a file is attached."""

from typing import Annotated

import msgspec
from litestar.datastructures import UploadFile

from panel.register.service import CategoryName
from panel.web.forms import chosen, line, upload


class AttachForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A file with what it is called and what it is about."""

    file: Annotated[UploadFile, upload("File", missing="Select a file")]
    title: Annotated[str, line("Title", at_most=150)] = ""
    category: Annotated[CategoryName, chosen("What it is about", missing="Select what it is about")]
