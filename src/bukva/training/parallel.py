"""What the processes of one training share; in a training of one process it does nothing.

Each process has all samples and its own copy of the network. All draw the same batch, each takes
its share of it, and what is added up over the processes (gradients, losses, the sums of a batch
norm) is what one process would have: the batch, and its statistics, are those of all together.

Shapes: B images in a batch, C channels.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.autograd import Function

T = TypeVar("T")


def size() -> int:
    """Return how many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Return which of them this one is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Return whether this one validates, keeps checkpoints and shows progress."""
    return rank() == 0


def from_first(compute: Callable[[], T]) -> T:
    """Return to all what the first process computes."""
    if size() == 1:
        return compute()
    box: list[Any] = [compute() if is_first() else None]
    distributed.broadcast_object_list(box)
    value: T = box[0]
    return value


def of_all(value: T) -> list[T]:
    """Return the values of all processes, by rank."""
    values: list[Any] = [value] * size()
    if size() > 1:
        distributed.all_gather_object(values, value)
    return values


def share_of(chosen_B: Tensor) -> Tensor:
    """Return this process's part of a batch."""
    return chosen_B[rank() :: size()]


def total(value: Tensor) -> Tensor:
    """Return the sum over all processes; no gradient passes."""
    if size() > 1:
        distributed.all_reduce(value)
    return value


def add_up_gradients(network: nn.Module) -> None:
    """Give every process the sum of all gradients, in one message: the networks are small."""
    if size() == 1:
        return
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    flat = total(torch.cat([gradient.flatten() for gradient in gradients]))
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, summed in zip(gradients, torch.split(flat, sizes), strict=True):
        gradient.copy_(summed.view_as(gradient))


def share_statistics(network: nn.Module) -> None:
    """Let batch norms see the whole batch; names and weights stay as they are.

    torch's own `SyncBatchNorm` works on GPUs alone. This one does the same everywhere.
    """
    if size() == 1:
        return
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.__class__ = _SharedBatchNorm1d
        elif isinstance(module, nn.BatchNorm2d):
            module.__class__ = _SharedBatchNorm2d


class _Total(Function):
    """The sum over all processes, through which gradients pass to all of them."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        return total(values.clone())

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return total(gradient.clone())


class _SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """A batch norm over the batch of all processes."""

    def forward(self, features: Tensor) -> Tensor:
        if not self.training:
            return super().forward(features)
        values, other_dims = features.float(), [0, *range(2, features.ndim)]
        count = values.new_tensor([values.numel() / values.shape[1]])
        own = torch.cat([values.sum(other_dims), values.square().sum(other_dims), count])
        sums: Tensor = _Total.apply(own)  # type: ignore[no-untyped-call]
        mean_C, square_C = (sums[:-1] / sums[-1]).chunk(2)
        variance_C = (square_C - mean_C.square()).clamp_min(0)
        self._follow(mean_C.detach(), variance_C.detach(), float(sums[-1].detach()))
        scale_C = self.weight * torch.rsqrt(variance_C + self.eps)
        shift_C = self.bias - mean_C * scale_C
        shape = [1, -1, *[1] * (features.ndim - 2)]
        normalised = values * scale_C.view(shape) + shift_C.view(shape)
        return normalised.to(features.dtype)

    @torch.no_grad()
    def _follow(self, mean_C: Tensor, variance_C: Tensor, count: float) -> None:
        if self.running_mean is None or self.running_var is None or self.momentum is None:
            return
        self.running_mean.lerp_(mean_C, self.momentum)
        self.running_var.lerp_(variance_C * count / (count - 1), self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


class _SharedBatchNorm1d(_SharedBatchNorm, nn.BatchNorm1d):
    pass


class _SharedBatchNorm2d(_SharedBatchNorm, nn.BatchNorm2d):
    pass
