"""Lines as a person's tools leave them: other blanks, other punctuation, rows of a table in Markdown."""

from __future__ import annotations

_BLANKS = "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"
_NOTHING = "\u200b\ufeff"
_SIGNS = {
    "\uff1a": ":",
    "\uff08": "(",
    "\uff09": ")",
    "\uff05": "%",
    "\uff0c": ",",
    "\uff0e": ".",
    "\uff0b": "+",
}
_SIGNS |= {
    "\uff1e": ">",
    "\uff1c": "<",
    "\uff5c": "|",
    "\u226b": ">>",
    "\u226a": "<<",
    "\u00bb": ">>",
    "\u00ab": "<<",
}
_TABLE = str.maketrans({**dict.fromkeys(_BLANKS, " "), **dict.fromkeys(_NOTHING, ""), **_SIGNS})


def plain(line: bytes) -> bytes:
    """The line with ASCII blanks and punctuation, cells of a Markdown row apart by blanks.

    >>> plain("conv\uff1a0.5\u00a0ms".encode()), plain(b"| conv | 12.50 | 0.5 |")
    (b'conv:0.5 ms', b'conv   12.50   0.5')
    """
    text = line.decode("utf-8", "replace").translate(_TABLE)
    cells = markdown_cells(text)
    return (text if cells is None else "   ".join(cells)).encode("utf-8", "replace")


def markdown_cells(text: str) -> list[str] | None:
    """The cells of a row of a Markdown table, None where the line is none.

    >>> markdown_cells("| a || b | 0.5 |"), markdown_cells("a | b")
    (['a || b', '0.5'], None)
    """
    bare = text.strip()
    if len(bare) < 3 or bare[0] != "|" or bare[-1] != "|":
        return None
    inside = bare[1:-1].replace("\\|", "\0")
    between = " | " if " | " in inside else "|"
    return [cell.strip().strip("`").replace("\0", "|") for cell in inside.split(between)]
