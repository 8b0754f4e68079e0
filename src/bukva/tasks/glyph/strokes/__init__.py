"""The stroke alphabet: every symbol as pen strokes, written as by many hands.

`alphabet` reads the strokes (alphabet.json), `curves` makes curves of their points, `hand` draws
a writer with a pen, `writing` moves the strokes as that writer would, `raster` inks them.
All of it is synthetic, and a result on it has to be called so.
"""
