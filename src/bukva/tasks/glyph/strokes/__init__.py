"""The stroke alphabet: every symbol as pen strokes, written as by many hands.

`alphabet` reads the strokes (alphabet.json), `curves` makes curves of their points and inks them,
`writing` draws a writer with a pen, and moves the strokes as that writer would.
All of it is synthetic, and a result on it has to be called so.
"""
