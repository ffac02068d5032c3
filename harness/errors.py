"""The errors a user can see, each one line that says what is wrong, where, and what to do.

::

    TrtmatrixError
    |-- UsageError            an option, an expression or a name that does not fit (exit code 2)
    |-- InputError            a file is not what it should be (exit code 2)
    |-- PluginError           a part of a plugin raised, or cannot be imported or registered (exit code 2)
    `-- UnavailableError      nothing here can run what was asked for (exit code 3)

One class below them is one cause, with one remedy. Its slug is its name: ``NoSuchFileError`` is shown as
``[no-such-file]`` at the end of the line, and ``docs/reference/errors.md`` has an entry of that name. Only
these classes are raised, never the four bases. Everything else that escapes is a defect of the harness and
keeps its traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar

EXIT_OK = 0
EXIT_TESTS_FAILED = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3


class TrtmatrixError(Exception):
    """Base of all errors shown to a user as one line without a traceback."""

    exit_code: ClassVar[int] = EXIT_USAGE
    slug: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if "slug" not in vars(cls):
            cls.slug = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__.removesuffix("Error")).lower()

    @property
    def one_line(self) -> str:
        """The message in one line, whatever a file or a name holds, with the slug to look it up by."""
        return str(self).replace("\n", "\\n") + (f" [{self.slug}]" if self.slug else "")


class UsageError(TrtmatrixError):
    """An option, an expression or a name that does not fit."""

    slug = ""


class InputError(TrtmatrixError):
    """A file that is not what it should be.

    :param path: the file, as the user named it
    :param problem: what is wrong and what was expected, lower case, without full stop
    :param line: 1-based line (or None where the format has no lines)
    :param where: key, table or byte offset inside the file, where there is one
    """

    slug = ""

    def __init__(
        self, path: str | Path, problem: str, *, line: int | None = None, where: str | None = None
    ) -> None:
        self.path, self.problem, self.line, self.where = str(path), problem, line, where
        place = self.path + (f":{line}" if line is not None else "") + (f": {where}" if where else "")
        super().__init__(f"{place}: {problem}")


class PluginError(TrtmatrixError):
    """A part of a third party raised what it must not, or cannot be imported or registered.

    The message begins with the part's name and its distribution, or the file it lies in.
    """

    slug = ""


class UnavailableError(TrtmatrixError):
    """No environment at hand can run what was asked for."""

    exit_code = EXIT_ENVIRONMENT
    slug = ""


# What was asked for.


class BadOptionError(UsageError):
    """An option or a setting has a value of another form than it takes."""


class OptionsContradictError(UsageError):
    """Two options exclude each other, or one needs another."""


class UnknownNameError(UsageError):
    """A name that nothing here has."""


class VersionExpressionError(UsageError):
    """What should name versions cannot be read."""


class NoSuchVersionError(UsageError):
    """No version here fits what was asked for."""


class NothingChosenError(UsageError):
    """A choice leaves nothing to work on."""


class NothingToCompareError(UsageError):
    """The builds at hand have no two sides that can be compared."""


class NothingToAcceptError(UsageError):
    """No verdict that was asked for fails the policy."""


class NothingToReproduceError(UsageError):
    """A verdict tells no change between two versions, or no op of the network carries it."""


class NetworkNeededError(UsageError):
    """The network of a stored run is a file that has to be named again."""


class TooFewBuildsError(UsageError):
    """So few builds show no change of any size."""


class OutputPathError(UsageError):
    """What is to be written cannot be written there."""


class FileSystemError(UsageError):
    """The operating system refuses to write or read: a disk that is full, a name that is too long."""


class FolderInUseError(UsageError):
    """A run would be written into a folder that holds something."""


class CpuNotAllowedError(UsageError):
    """The CPU that workers are to be bound to is not among those of this process."""


class CellNameError(UsageError):
    """A cell's name cannot be the name of a folder."""


class NetworkTreatmentError(UsageError):
    """A network cannot be had in the batch or the ReLU6 form asked for."""


class NetworkInputsError(UsageError):
    """Inputs do not fit the network that they are for."""


class UnsupportedOpError(UsageError):
    """An op of a network, or its opset, is not one that can be computed or exported here."""


class BadAliasError(UsageError):
    """An alias of layer names is neither a name nor a regular expression."""


class NoImageError(UsageError):
    """No recipe or image holds the version asked for."""


class PackBaseError(UsageError):
    """A pack cannot be made on top of the one that was named."""


class InstallationError(UsageError):
    """Files of trtmatrix itself are missing."""


# What was read.


class NoSuchFileError(InputError):
    """A file or folder is not there."""


class UnreadableFileError(InputError):
    """A file is there and cannot be read, or is no file."""


class WrongFormatError(InputError):
    """A file is not of the format that it should have."""


class UnknownKeyError(InputError):
    """A file has a key that nobody reads."""


class MatrixValueError(InputError):
    """A key of a matrix file has a value that does not fit."""


class EmptyMatrixError(InputError):
    """A matrix file leaves no cell to measure."""


class AcceptedFileError(InputError):
    """An entry of a file of accepted changes is not what it should be."""


class RecipeFileError(InputError):
    """A recipe of containers, its table of images or its template is not what it should be."""


class RulesFileError(InputError):
    """A table of kernel families, devices or compute capabilities is not what it should be."""


class ImportDescriptionError(InputError):
    """What describes recordings (``meta.json``, aliases) is not what it should be."""


class NotRecognisedError(InputError):
    """Nothing that a runtime prints or exports was recognised in a file."""


class OnnxModelError(InputError):
    """An ONNX model is valid and cannot be measured."""


class TensorflowModelError(InputError):
    """A TensorFlow graph can be read and cannot be measured."""


class OtherReleaseError(InputError):
    """A file was written by a release with another form of it."""


class DamagedBundleError(InputError):
    """A file that trtmatrix or its worker wrote is torn or was changed."""


class DamagedImagesError(InputError):
    """Parts of saved images are missing, torn or changed."""


class SameBuildError(InputError):
    """A build is there twice."""


class OtherRunError(InputError):
    """What is there belongs to another run or pack."""


class PackResultsError(InputError):
    """Results that came from a GPU host do not fit together."""


# Plugins.


class PluginFailedError(PluginError):
    """A part of a plugin raised, or its module cannot be imported."""


class PluginPartError(PluginError):
    """A part of a plugin lacks what its kind needs, or cannot be registered."""


class PluginNameError(PluginError):
    """Two plugins register parts of one kind and name."""


# What cannot be done here.


class NothingCanRunError(UnavailableError):
    """No cell, or too few, can run on this machine."""


class NoPythonError(UnavailableError):
    """No Python here has wheels of the version asked for."""


class BrokenPythonError(UnavailableError):
    """A Python that was found does not run."""


class NotInstalledError(UnavailableError):
    """The running interpreter does not hold the version asked for."""


class MissingPackageError(UnavailableError):
    """A package that only some commands need is not installed."""


class InstallFailedError(UnavailableError):
    """Packages of a version cannot be had."""


class CacheFolderError(UnavailableError):
    """The cache folder cannot be written."""


class NoClusterError(UnavailableError):
    """No cluster answers at the address of one."""


class ClusterNodesError(UnavailableError):
    """No node of a cluster can measure."""


class NoDockerEngineError(UnavailableError):
    """No Docker engine answers."""


class DockerFailedError(UnavailableError):
    """The Docker engine failed at what it was asked."""


class ImageUnavailableError(UnavailableError):
    """An image cannot be had."""


class ImageBuildError(UnavailableError):
    """An image was not built."""


class BaseImageError(UnavailableError):
    """No base image can be made of the Python of this machine."""


class MissingProgramError(UnavailableError):
    """A program that packing needs is not on this machine."""


class ProgramFailedError(UnavailableError):
    """A program that packing needs failed."""


class PackPythonError(UnavailableError):
    """No one Python can be packed that has wheels of all versions."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` to end a message with, nothing where no name is near."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
