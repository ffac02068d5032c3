#!/bin/sh
# Starts the pack with the Python that it brings. `./start.sh --help` lists the options.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree="$here/python"
# A pack on top of another one brings no Python of its own.
if [ ! -e "$here/python.tar.gz" ]; then
  base="" last=""
  for argument; do
    case "$argument" in --base=*) base=${argument#--base=} ;; esac
    if [ "$last" = --base ]; then base=$argument; fi
    last=$argument
  done
  if [ ! -e "$base/python.tar.gz" ]; then
    echo "trtmatrix pack: this pack was made on top of another one; name that one's folder with --base" >&2
    exit 3
  fi
  "$base/start.sh" --help >/dev/null # unpacks its Python where that was not done yet
  tree="$base/python"
fi
if [ ! -e "$tree/.complete" ]; then
  rm -rf "$tree"
  mkdir -p "$tree"
  tar -xzf "$here/python.tar.gz" -C "$tree"
  : >"$tree/.complete"
fi
for python in "$tree"/bin/python3.*; do :; done
# The host's own path often leads to the driver's libraries: it stays behind ours.
export TRTMATRIX_HOST_LIBRARIES="${LD_LIBRARY_PATH:-}"
export LD_LIBRARY_PATH="$tree/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
if ! PYTHONHOME="$tree" "$python" -S -c "" 2>"$here/python.error"; then
  echo "the packed Python does not run here: $(tail -n 1 "$here/python.error")" >&2
  echo "the C library of this host must be as new as that of the machine the pack was made on" >&2
  exit 3
fi
rm -f "$here/python.error"
# The folder that it is started from may hold another pack's `host`: it is not on the path.
run='import runpy, sys; sys.path.remove(""); runpy.run_module("host", run_name="__main__", alter_sys=True)'
PYTHONHOME="$tree" PYTHONPATH="$here:$here/code" PYTHONDONTWRITEBYTECODE=1 exec "$python" -s -c "$run" --pack "$here" "$@"
