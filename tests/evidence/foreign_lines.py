"""A fixed generator of lines that are no output of TensorRT, and of what loggers put before lines."""

from __future__ import annotations

from hypothesis import strategies as st

_number = st.integers(0, 9999).map(str)
_small = st.floats(0.01, 99, allow_nan=False).map("{:.2f}".format)
_word = st.sampled_from(
    ["cache", "worker", "camera", "queue", "image", "frame", "user", "index", "token", "page"]
)

FOREIGN = st.one_of(
    st.just(""),
    st.builds("192.0.2.{} - - GET /{}.html HTTP/1.1 200 {}".format, _number, _word, _number),
    st.builds("64 bytes from 192.0.2.{}: icmp_seq={} ttl=57 time={} ms".format, _number, _number, _small),
    st.builds("{} {} of {} done, {} MiB left".format, _word, _number, _number, _number),
    st.builds("  {}%|####      | {}/{} [00:{}<00:10,  3.1it/s]".format, _number, _number, _number, _number),
    st.builds("{} took {} ms".format, _word, _small),
    st.builds("{}: {} ms".format, _word, _small),
    st.builds('{{"level": "info", "{}": {}, "took_ms": {}}}'.format, _word, _number, _small),
    st.builds("2032-03-14,{},{}".format, _word, _number),
    st.builds("Collecting {}=={}.{}".format, _word, _number, _number),
    st.builds("nvidia-smi: GPU 0: {} MiB / 40960 MiB, {} %".format, _number, _number),
    st.builds("INFO:root:the {} has {} entries".format, _word, _number),
    st.builds("2032-03-14 09:26:53,{} - app.{} - INFO - ready after {} s".format, _number, _word, _small),
    st.builds("Mar 14 09:26:53 node-7 kernel: [{}.123456] usb {}: reset".format, _number, _word),
    st.builds("$ ls -l /data/{}/{}".format, _word, _number),
    st.builds("Here is what the {} says:".format, _word),
    st.builds("```{}".format, st.sampled_from(["", "text", "console"])),
    st.builds("--{}".format, st.sampled_from(["", " ", " 8< --"])),
    st.builds("W0314 09:26:53.123456 {} {}.cc:{}] retry".format, _number, _word, _number),
    st.builds("{} \u2014 \u65e5\u672c\u8a9e {}".format, _word, _number),
)

_clock = "2032-03-14 09:26:53.402117"
PREFIXES = {
    "trtexec": "[03/14/2032-09:26:53] [V] [TRT] ",
    "python": "[TensorRT] VERBOSE: ",
    "python, later": "[03/14/2032-09:26:53] [TRT] [V] ",
    "jetson": "[TRT]    ",
    "iso": "2032-03-14T09:26:53.402Z ",
    "iso with a zone": "2032-03-14 09:26:53+01:00 ",
    "syslog": "Mar 14 09:26:53 node-7 bench[417]: ",
    "journal": "2032-03-14T09:26:53+0100 node-7 bench[417]: ",
    "glog": "I0314 09:26:53.402117 417 logging.cc:49] ",
    "python logging": "2032-03-14 09:26:53,402 - build.engine - DEBUG - ",
    "python logging, short": "DEBUG:tensorrt:",
    "torch-tensorrt": "DEBUG: [Torch-TensorRT TensorRT Conversion Context] - ",
    "torch": "INFO: [TRTorch Conversion Context] - ",
    "tf-trt": _clock + ": I tensorflow/compiler/tf2tensorrt/utils/trt_logger.cc:42] DefaultLogger ",
    "onnxruntime": _clock + "455 [V:onnxruntime:TensorrtLogger, tensorrt_execution_provider.h:63 log] "
    "[2032-03-14 09:26:53 VERBOSE] ",
    "triton": "I0314 09:26:53.402117 1 tensorrt.cc:212] ",
    "deepstream": "INFO: ../nvdsinfer/nvdsinfer_func_utils.cpp:39 [TRT]: ",
    "compose": "bench-trt-1  | ",
    "buildkit": "#14 52.31 ",
    "kubernetes": "2032-03-14T09:26:53.402117455Z stdout F ",
    "kubectl": "[pod/bench-7f9c/trt] ",
    "quote": "> ",
    "quote in a quote": "> > ",
    "jenkins": "[2032-03-14T09:26:53.402Z] ",
    "coloured": "\x1b[36mbench-1  |\x1b[0m ",
}
