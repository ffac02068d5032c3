"""How a worker module ends early: both become the status and the reason of ``result.json``."""


class UnsupportedError(Exception):
    """This version cannot run what the job asks for, whatever is installed beside it."""


class FailedError(Exception):
    """The job cannot be done; the message is one line that says what is wrong and where."""
