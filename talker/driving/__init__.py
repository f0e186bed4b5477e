"""A fitted or edited speaker, driven: pictures for any audio and view, a video of them, live or not."""
