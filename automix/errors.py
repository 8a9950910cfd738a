"""The exception tree. Each class carries the exit code that the command line ends with."""


class AutomixError(Exception):
    """Anything a user can cause. The message says what, where, and the next step."""

    exit_code = 1


class UsageError(AutomixError):
    """A wrong option, or options that contradict each other."""

    exit_code = 2


class PlanError(UsageError):
    """A plan file or a ``--set`` expression that cannot be used; names the line or the key."""


class InputError(AutomixError):
    """An input file that cannot be read or holds no usable audio."""

    exit_code = 3


class OutputError(AutomixError):
    """A target that cannot be written."""

    exit_code = 4


class DeviceError(AutomixError):
    """A compute device or memory that is not there, or model weights that cannot be used."""

    exit_code = 5


class PluginError(AutomixError):
    """A plug-in that is missing, crashes, hangs, or returns unusable audio."""

    exit_code = 6
