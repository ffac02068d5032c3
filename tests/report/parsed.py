"""A page as a parser sees it: elements, attributes, text; never the text of the file."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

LOADING = ("src", "href", "xlink:href", "srcset", "action", "formaction", "poster", "data", "background")


class Parsed(HTMLParser):
    """Elements with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def tags(self) -> Counter[str]:
        """How often each element occurs."""
        return Counter(tag for tag, _ in self.elements)

    @property
    def handlers(self) -> list[str]:
        """Event attributes."""
        return [name for _, attributes in self.elements for name in attributes if name.startswith("on")]

    @property
    def loaded(self) -> list[str]:
        """What the page names to be loaded or followed, but for its own anchors and the empty icon."""
        found = [value for _, attrs in self.elements for name, value in attrs.items() if name in LOADING]
        return [value for value in found if not value.startswith("#") and value != "data:,"]

    @property
    def ids(self) -> list[str]:
        """Element ids, in order."""
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def links(self) -> list[str]:
        """Ids that the page links to."""
        found = [attributes.get("href", "") for tag, attributes in self.elements if tag == "a"]
        return [value[1:] for value in found if value.startswith("#")]
