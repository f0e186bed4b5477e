"""The studio: fit, edit and drive in a browser (`talker studio`).

A small ASGI server (starlette, uvicorn, websockets) and a page of plain modules. Gradio, which this field's users know,
cannot meet what the page is for: each of its events is an HTTP round trip through a queue, and its video parts play
finished files, so that neither a drag shows the new view within 150 ms nor a picture follows a sound that plays. Here
one socket carries what the page wants to see and the newest picture back.

What takes long runs as a `talker COMMAND` of its own (`jobs`), the very line that the page shows; what the stage shows
is rendered by the same `Portrait` that `talker drive` uses. Nothing is done here that the command line cannot do.
"""
