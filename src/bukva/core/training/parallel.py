"""Several processes for one training: torch's launcher and DistributedDataParallel.

Each process has all samples and its own copy of the network. All draw the same batch and each takes
its share. What there is one of, the checkpoint and the tracker, stays with the process that
launches; what the first of the others has to tell comes through a pipe.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import torch
from torch import distributed, multiprocessing, nn
from torch.multiprocessing.spawn import ProcessContext, ProcessException, start_processes
from torch.nn.parallel import DistributedDataParallel

from bukva.errors import BukvaError, ParameterError, WorkerError

START_METHOD = "spawn"
"""A fork of a process whose torch has threads may hang."""
_LOOK_EVERY_S = 0.1

T = TypeVar("T")


def size() -> int:
    """Return how many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Return which of them this one is, from 0; the first validates and shows progress."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def from_first(compute: Callable[[], T]) -> T:
    """Return to all what the first process computes."""
    if size() == 1:
        return compute()
    box: list[Any] = [compute() if rank() == 0 else None]
    distributed.broadcast_object_list(box)
    value: T = box[0]
    return value


def of_all(value: T) -> list[T]:
    """Return the values of all processes, by rank."""
    values: list[Any] = [value] * size()
    if size() > 1:
        distributed.all_gather_object(values, value)
    return values


def mean(value: torch.Tensor) -> float:
    """Return the mean of a number over all processes."""
    if size() > 1:
        distributed.all_reduce(value)
    return float(value) / size()


def share_statistics(network: nn.Module, device: torch.device) -> nn.Module:
    """Return the network with batch norms that see the whole batch, where torch has them: on GPUs.

    On CPUs each process normalises its own share, and the first one's statistics are kept.
    """
    if size() == 1 or device.type != "cuda":
        return network
    converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return converted


def share_gradients(network: nn.Module, device: torch.device) -> nn.Module:
    """Return the network to call in training, after which gradients are the mean over processes."""
    if size() == 1:
        return network
    own_gpu = [torch.cuda.current_device()] if device.type == "cuda" else None
    return DistributedDataParallel(network, device_ids=own_gpu)


def run_together(
    part: Callable[..., Iterator[Any]],
    arguments: tuple[Any, ...],
    *,
    processes: int,
    device: torch.device,
) -> Iterator[Any]:
    """Yield what a function yields in the first of several processes that run it.

    Whoever closes this ends them all.

    Args:
        part: A function of a module. Errors of ours are raised here.
        arguments: Pickled for every process.
        processes: How many.
        device: CUDA takes one GPU for each.

    Raises:
        ParameterError: If there are fewer GPUs.
        WorkerError: If one of them died.
    """
    if device.type == "cuda" and processes > torch.cuda.device_count():
        message = (
            f"Expected a GPU for each of {processes} processes, found {torch.cuda.device_count()}: "
            "lower `processes`, or take device=cpu."
        )
        raise ParameterError(message)
    threads = max(1, torch.get_num_threads() // processes)
    receiver, sender = multiprocessing.get_context(START_METHOD).Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder, receiver:
        meeting = f"file://{folder}/meeting"
        worker = (sender, meeting, processes, device.type, threads, part, arguments)
        workers = start_processes(  # type: ignore[no-untyped-call]
            _take_part, worker, nprocs=processes, join=False, start_method=START_METHOD
        )
        sender.close()  # so that the end of the first worker is the end of the pipe
        try:
            yield from _received(receiver, workers)
        except ProcessException as error:
            message = (
                f"Expected {processes} processes to train to the end, got the exit codes "
                f"{[process.exitcode for process in workers.processes]} "
                f"({str(error).strip().splitlines()[-1]}). With a checkpoint, the same command "
                "goes on from the last epoch."
            )
            raise WorkerError(message) from error
        finally:
            for process in workers.processes:
                process.kill()
                process.join()


def _received(receiver: "Connection[Any, Any]", workers: ProcessContext) -> Iterator[Any]:
    """Yield what the first worker sends until it has ended; then wait for all."""
    while True:
        if not receiver.poll(_LOOK_EVERY_S):
            workers.join(timeout=0)  # raises if one has died: the first would wait for it
            continue
        try:
            event = receiver.recv()
        except (EOFError, OSError):
            break
        if isinstance(event, BukvaError):
            raise event
        yield event
    while not workers.join():
        pass


def _take_part(
    rank: int,
    sender: "Connection[Any, Any]",
    meeting: str,
    processes: int,
    device: str,
    threads: int,
    part: Callable[..., Iterator[Any]],
    arguments: tuple[Any, ...],
) -> None:
    """Join the others and do the part; the first tells what comes of it."""
    torch.set_num_threads(threads)
    if rank:
        sender.close()
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    if device == "cuda":
        torch.cuda.set_device(rank)
    backend = "nccl" if device == "cuda" else "gloo"
    distributed.init_process_group(backend, meeting, rank=rank, world_size=processes)
    try:
        for event in part(*arguments):
            if rank == 0:
                sender.send(event)
    except BukvaError as error:  # all have it alike
        if rank == 0:
            sender.send(error)
    finally:
        distributed.destroy_process_group()
