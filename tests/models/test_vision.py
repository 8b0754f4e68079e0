import subprocess
import sys


def test_torchvision_is_imported_beside_any_build_of_torch():
    """In a new process: here it may have been imported already, by another way."""
    script = """
import sys
from bukva.models.vision import Conv2dNormActivation
import torch, torchvision.ops, torchvision.transforms.v2
layer = Conv2dNormActivation(1, 3, kernel_size=3)
assert layer(torch.zeros(2, 1, 5, 5)).shape == (2, 3, 5, 5)
assert hasattr(torch.ops.torchvision, "nms")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
