"""Changing a file so that whoever opens it finds the old bytes or the new ones, all of them.

    sweep(folder)                                   # what killed runs left there
    replace(path, write=holding(data), verify=check, was=sha256)

The new file is made beside the old one under a name of our own, checked, given the old one's owner, rights and
times, forced to the disk and then renamed over it. Nobody's rights are changed to get there: what is read-only
stays as it is and is named.
"""

from tigertag.replacing.drafts import sweep
from tigertag.replacing.files import Step, create, holding, remove, replace

__all__ = ["Step", "create", "holding", "remove", "replace", "sweep"]
