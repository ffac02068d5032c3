"""``python -m harness.worker JOB.json RESULT_FOLDER``: serve the commands of one build."""

import os
import sys

from harness.worker.parent import end_with_parent
from harness.worker.serve import Pipes, Server


def main() -> int:
    """Return 2 on wrong arguments; else the process ends here, 0 after ``close`` and 1 without."""
    if len(sys.argv) != 3 or not os.path.isdir(sys.argv[2]):
        sys.stderr.write("usage: python -m harness.worker JOB.json RESULT_FOLDER (which exists)\n")
        return 2
    end_with_parent()
    code = 1
    try:
        if Server(sys.argv[1], sys.argv[2]).serve(Pipes()):
            code = 0
        else:
            sys.stderr.write("the commands ended without 'close'\n")
    except OSError as error:
        sys.stderr.write("the conversation broke off: {}\n".format(error))
    sys.stdout.flush()
    sys.stderr.flush()
    # Some runtimes crash while the interpreter tears them down; the result is complete by now.
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
