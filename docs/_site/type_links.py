"""Types that a docstring states: a word that names no class is a word."""

from __future__ import annotations

from typing import Any

from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform


class OnlyClasses(SphinxPostTransform):
    """Make plain text of the words of a type that are no class.

    Sphinx takes every word of ``array of shape (n, ...)`` for a type, and where there is no class
    ``n`` it links the attribute of that name of any class.
    """

    default_priority = 5  # before Sphinx resolves references, at 10

    def run(self, **kwargs: Any) -> None:
        """Look at the references that fields of a docstring make."""
        python = self.env.domains.python_domain
        for node in list(self.document.findall(pending_xref)):
            of_type = node.get("refdomain") == "py" and node.get("refspecific")
            word = node.get("reftarget", "")
            if not of_type or node.get("reftype") != "class" or "." in word:
                continue
            module, outer = node.get("py:module"), node.get("py:class")
            if not python.find_obj(self.env, module, outer, word, "class", 1):
                node.replace_self(node.children)
