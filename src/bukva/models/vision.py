"""The one door to torchvision.

torchvision's compiled part is linked against one build of torch. Beside another build (a CPU torch
with the index's torchvision) it does not load, and the import then fails where torchvision
registers fake kernels for two operators that nobody declared. Declaring their schemas is enough
for everything that is written in Python; operators that are compiled (nms, roi_align) stay absent.
"""

from typing import Final

import torch

_OPERATORS: Final = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _declare_missing_operators() -> torch.library.Library | None:
    if torch.version.cuda is not None:
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, schema in _OPERATORS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)  # type: ignore[no-untyped-call]
    return library


# Kept alive: the declarations go with the object.
_declarations = _declare_missing_operators()

from torchvision.ops import Conv2dNormActivation  # noqa: E402 - after the declarations

__all__ = ["Conv2dNormActivation"]
