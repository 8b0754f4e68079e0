"""Everything that bukva raises on purpose.

BukvaError
├── ParameterError           a parameter group does not validate
├── ExperimentError          experiments cannot be run as their file says
├── CharsetError             a label, symbol or index that the alphabet does not have
├── CorpusError              a body of images cannot be used
│   ├── CorpusMissingError   its files are not where the catalog says
│   ├── ChecksumError        a file is not the one that the manifest names
│   ├── CorpusCorruptError   too many of its images cannot be read
│   └── TermsError           its terms do not allow what is to be done with it
├── CorrectionError          a file is no stored correction
├── TableError               a table lacks columns, or its rows do not fit what is asked of them
├── TranscriptError          a file that says what stands on a page cannot be used
├── ImageError               one image cannot be used
│   ├── ImageDecodeError     its bytes are no image that we read
│   │   ├── UnsupportedFormatError  they are of no format that we read
│   │   └── EncryptedError   they ask for a password
│   ├── PageMissingError     a document has no such page
│   ├── ImageTooLargeError   it is larger than the cap, and was not decoded
│   ├── ImageTooSmallError   it was decoded and has too few pixels to show anything
│   ├── EmptyImageError      it was decoded and holds no ink
│   ├── TooDarkError         it was decoded and is too dark to tell ink from paper
│   └── SeveralSymbolsError  it was decoded and holds more than one symbol
├── TrainingError            training cannot go on
│   ├── NonFiniteLossError   the loss became infinite or not a number
│   └── WorkerError          one of its processes died
├── TuningError              a study cannot be opened, or a search cannot go on
├── BatchError               a batch prediction cannot begin, or cannot go on
├── ModelError               a model cannot be used
│   ├── ModelFormatError     its files are incomplete or do not belong together
│   │   └── ReleaseError     the released model is not what its manifest says, or too large
│   ├── ParityError          two forms of one model answer differently
│   └── SealError            its files are not those that were sealed, or nobody trusted did it
├── StorageError             the store that data lie in cannot be used
│   ├── StorageUnreachableError  it does not answer, or breaks off again and again
│   ├── StorageRefusedError  it does not let us: wrong keys, or keys without the right
│   ├── BucketMissingError   there is no such bucket
│   └── UnfinishedSaveError  what a node saved may not belong together
├── TrackingError            MLflow cannot be used
│   ├── TrackingUnreachableError  the tracking server does not answer
│   └── RegistryError        the registry refuses, or holds something incomplete
│       └── PromotionConflictError  somebody else changes production at the same time
├── StackError               a server of the stack cannot be started, reached or stopped
│   └── BackupError          a backup is not whole, or must not be put where it is to go
└── RequestError             an HTTP request that the service does not answer as asked
"""

from typing import ClassVar


class BukvaError(Exception):
    """Base of all errors raised on purpose: what was expected, what came, where, what to do."""


class ParameterError(BukvaError):
    """Raised when parameters do not validate; the message lists all of them."""


class ExperimentError(BukvaError):
    """Raised when a file of experiments has faults, or its runs lack what they need."""


class CharsetError(BukvaError, ValueError):
    """Raised for a label, a symbol or an index that the alphabet does not have."""


class CorpusError(BukvaError):
    """Raised when a body of images cannot be used."""


class CorpusMissingError(CorpusError):
    """Raised when files of a corpus are not where the catalog looks for them."""


class ChecksumError(CorpusError):
    """Raised when a file's checksum differs from the manifest's."""


class CorpusCorruptError(CorpusError):
    """Raised when more images of a corpus are unreadable than the parameters allow."""


class TermsError(CorpusError):
    """Raised when the terms of a corpus do not allow what is to be done with it."""


class CorrectionError(BukvaError, ValueError):
    """Raised when a file is no stored correction; says what is wrong, not what is in it."""


class TableError(BukvaError, ValueError):
    """Raised when a table lacks columns, or its rows do not fit what is asked of them."""


class TranscriptError(BukvaError, ValueError):
    """Raised when a file that says what stands on a page is no ALTO or PAGE, or fits no image."""


class ImageError(BukvaError, ValueError):
    """Raised when one image cannot be used; `code` says why to programs, the same for ever."""

    code: ClassVar = "undecodable_image"


class ImageDecodeError(ImageError):
    """Raised when bytes are not an image of an allowed format, or a broken one."""


class UnsupportedFormatError(ImageDecodeError):
    """Raised when bytes are not a PNG, JPEG or WebP file."""

    code = "unsupported_format"


class EncryptedError(ImageDecodeError):
    """Raised when a document asks for a password."""

    code = "encrypted_document"


class PageMissingError(ImageError):
    """Raised when a document has no such page, or none at all."""

    code = "page_missing"


class ImageTooLargeError(ImageError):
    """Raised, before decoding, when an image has more bytes or pixels than allowed."""

    code = "image_too_large"


class ImageTooSmallError(ImageError):
    """Raised when an image has too few rows or columns to show what is looked for."""

    code = "image_too_small"


class EmptyImageError(ImageError):
    """Raised when an image holds no ink."""

    code = "empty_image"


class TooDarkError(ImageError):
    """Raised when an image is too dark to tell ink from paper."""

    code = "too_dark"


class SeveralSymbolsError(ImageError):
    """Raised when an image holds more than one symbol: a word, a line of text, a page."""

    code = "several_symbols"


class TrainingError(BukvaError):
    """Raised when training cannot go on."""


class WorkerError(TrainingError):
    """Raised when one of the processes of a training died, so that all were ended."""


class NonFiniteLossError(TrainingError):
    """Raised when the loss is infinite or not a number; names epoch, step and learning rate."""


class TuningError(BukvaError):
    """Raised when a study cannot be opened, is of something else, or a search cannot go on."""


class BatchError(BukvaError):
    """Raised when images of a batch cannot be read, or its results are of something else."""


class ModelError(BukvaError):
    """Raised when a model cannot be used."""


class ModelFormatError(ModelError):
    """Raised when the files of a model are incomplete or do not belong together."""


class ReleaseError(ModelFormatError):
    """Raised when a released model is not what its manifest says, or is not fit to be one."""


class ParityError(ModelError):
    """Raised when two forms of one model answer differently on the same images."""


class SealError(ModelError):
    """Raised when the files of a packaged model are not those that somebody trusted sealed."""


class StorageError(BukvaError, OSError):
    """Raised when the store that data lie in cannot be used; nothing half is left in it."""


class StorageUnreachableError(StorageError):
    """Raised when the store does not answer in time, or breaks off again and again."""


class StorageRefusedError(StorageError):
    """Raised when the store refuses: its keys are wrong or missing, or may not do this."""


class BucketMissingError(StorageError):
    """Raised when there is no such bucket; none is ever made in passing."""


class UnfinishedSaveError(StorageError):
    """Raised for results of a node that was stopped after it had saved some of them."""


class TrackingError(BukvaError):
    """Raised when MLflow cannot be used."""


class TrackingUnreachableError(TrackingError):
    """Raised when the tracking server does not answer; always before any training."""


class RegistryError(TrackingError):
    """Raised when the registry refuses a request or holds something incomplete."""


class PromotionConflictError(RegistryError):
    """Raised when somebody else changes what is in production at the same time."""


class StackError(BukvaError):
    """Raised when a server of the stack cannot be started, reached or stopped."""


class BackupError(StackError):
    """Raised when a backup is not whole, or when its place, or what it would replace, is taken."""


class RequestError(BukvaError):
    """Raised when the service does not answer a request as asked.

    Args:
        code: The row of the service's table of problems: status, title, when to come back.
        detail: A sentence for the caller; never holds what the caller sent.
        retry_after_s: When to come back, where that is known better than by the table.
    """

    def __init__(self, code: str, detail: str, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
