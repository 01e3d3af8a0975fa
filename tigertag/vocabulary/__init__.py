"""The owner's words: what a name becomes, the hierarchy that ships with TigerTag, lists of other programs."""
