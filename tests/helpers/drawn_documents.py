"""Few drawn lines, and a training on them that takes seconds."""

from bukva.tasks.document.parameters import DataParameters, TrainingParameters

DATA = DataParameters(drawn_lines=500)
SMALL = TrainingParameters(
    width=6, max_epochs=3, steps_per_epoch=20, batch_size=32, device="cpu", ema_decay=0.8,
    learning_rate=0.01,
)  # fmt: skip
