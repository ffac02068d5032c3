"""Writes the surface of a TensorRT wheel: which names its classes and enumerations offer.

    python make_surface.py tensorrt 8.5.3.1 FOLDER_OF_THE_PACKAGE > tests/data/trt_api/8.5.3.1.json

Runs on the Python of the wheel. Where the libraries of TensorRT are absent, placeholders with the right
names are compiled beside the binding: importing it calls none of them. Names are read from the classes, so
neither a GPU nor a driver is needed.
"""

import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from ctypes import CDLL, RTLD_GLOBAL
from pathlib import Path

# The classes and enumerations that the worker touches.
CLASSES = """
Builder IBuilderConfig INetworkDefinition ITensor ILayer IConvolutionLayer IPoolingLayer IActivationLayer
IElementWiseLayer IShuffleLayer IConstantLayer ISoftMaxLayer IConcatenationLayer IMatrixMultiplyLayer
IQuantizeLayer IDequantizeLayer ICastLayer IPaddingLayer ICudaEngine IExecutionContext Runtime IHostMemory
EngineInspector OnnxParser IProfiler ILogger Logger Weights Permutation ITimingCache
"""
ENUMERATIONS = """
BuilderFlag NetworkDefinitionCreationFlag TacticSource PreviewFeature ProfilingVerbosity MemoryPoolType
ActivationType ElementWiseOperation PoolingType MatrixOperation TensorFormat TensorIOMode LayerType
LayerInformationFormat DataType ComputeCapability
"""
_SYSTEM = re.compile(r"lib(c|m|stdc\+\+|gcc_s|dl|pthread|rt)\.so|ld-linux")


def placeholders(binding, folder):
    """Compile one empty library for each that *binding* needs, and load them."""
    listing = subprocess.check_output(["objdump", "-p", binding]).decode()
    needed = [name for name in re.findall(r"NEEDED\s+(\S+)", listing) if not _SYSTEM.match(name)]
    symbols = subprocess.check_output(["nm", "-D", "--undefined-only", binding]).decode()
    wanted = [line.split()[-1] for line in symbols.splitlines() if "@" not in line]
    # Type information is data; everything else is only called, which nobody does.
    body = "".join(
        f"void *{name}[64];\n" if name.startswith(("_ZTI", "_ZTV")) else f"void {name}(void) {{}}\n"
        for name in wanted
        if re.match(r"\w+$", name) and not name.startswith(("Py", "_Py", "_ITM", "__gmon"))
    )
    source = folder / "placeholder.c"
    source.write_text(body)
    for index, name in enumerate(needed):
        target = str(folder / name)
        inputs = [str(source)] if index == 0 else ["-x", "c", os.devnull]
        command = ["cc", "-w", "-fno-builtin", "-shared", "-fPIC", "-o", target, "-Wl,-soname," + name]
        subprocess.check_call(command + inputs)
        CDLL(target, mode=RTLD_GLOBAL)


def signatures(owner, member):
    """Return the parameters of each overload as the binding documents them, none for a property."""
    text = getattr(getattr(owner, member), "__doc__", None) or ""
    lines = re.findall(r"^(?:\d+\. )?" + member + r"\((self: .*)\)(?: -> .*)?$", text.strip(), re.MULTILINE)
    return [re.sub(r"\b(tensorrt\w*\.)+", "", ", ".join(line.split(", ")[1:])) for line in lines]


def surface(trt, name, version):
    """Return the JSON form of what *trt* offers."""
    found = {"module": name, "version": version, "from": "wheel", "classes": {}, "enumerations": {}}
    for kind in CLASSES.split():
        if hasattr(trt, kind):
            owner = getattr(trt, kind)
            names = [member for member in dir(owner) if not member.startswith("_")]
            found["classes"][kind] = {member: signatures(owner, member) for member in names}
    for kind in ENUMERATIONS.split():
        members = getattr(getattr(trt, kind, None), "__members__", None)
        if members is not None:
            found["enumerations"][kind] = {member: int(value) for member, value in members.items()}
    return found


def main():
    """Import the binding, with placeholders where it needs them, and print its surface."""
    name, version = sys.argv[1:3]
    folder = Path(sys.argv[3]).resolve()
    sys.path.insert(0, str(folder.parent))
    package = folder.name
    with tempfile.TemporaryDirectory() as scratch:
        binding = next(folder.glob("tensorrt*.so"))
        try:
            trt = importlib.import_module(package)
        except (ImportError, OSError):
            for loaded in [m for m in sys.modules if m.split(".")[0] == package]:
                del sys.modules[loaded]
            placeholders(str(binding), Path(scratch))
            trt = importlib.import_module(package)
        print(json.dumps(surface(trt, name, version), indent=0, sort_keys=True))
    sys.stdout.flush()
    os._exit(0)  # teardown would call into the placeholders


main()
