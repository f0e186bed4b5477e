"""A speaker video, understood: landmarks, head pose, masks, background, eyes and audio features."""
