"""Who edits pictures: the editors, what all of them are asked and tell, and where in the picture they may."""
