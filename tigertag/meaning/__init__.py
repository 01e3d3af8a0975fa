"""What pictures and words mean, as vectors of one space: packed, compared, and turned into tags."""
