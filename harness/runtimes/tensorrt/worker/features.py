"""The small switches in which TensorRT versions differ, each found by a test of its own.

Versions are never compared: TensorRT-RTX 1.7 has the interface of TensorRT 11, and 9.2 that of 8.6. A
class-level ``hasattr`` works for methods, properties and members of enumerations in every version.
"""

from typing import Any, Dict  # noqa: F401


def has(trt: Any, path: str) -> bool:
    """Say whether *trt* offers the dotted *path* (``BuilderFlag.TF32``)."""
    found = trt
    for part in path.split("."):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


# Name of the switch: what must be there. The comment is the first version that has it.
SWITCHES = {
    "config": "Builder.create_builder_config",  # 6.0
    "serialized_build": "Builder.build_serialized_network",  # 8.0
    "live_build": "Builder.build_engine",  # 6.0 to 9.3 with a configuration
    "cuda_build": "Builder.build_cuda_engine",  # 5.0 to 7.2
    "max_batch_size": "Builder.max_batch_size",  # 5.0 to 9.3
    "fast_fp16": "Builder.platform_has_fast_fp16",  # 5.0 to 10.16
    "explicit_batch": "NetworkDefinitionCreationFlag.EXPLICIT_BATCH",  # 6.0
    "strongly_typed": "NetworkDefinitionCreationFlag.STRONGLY_TYPED",  # 9.0
    "named_tensors": "ICudaEngine.num_io_tensors",  # 8.5
    "weak_typing": "ITensor.dynamic_range",  # to 10.16, never in RTX
    "execute_batch": "IExecutionContext.execute_async",  # 5.0 to 9.3
    "execute_v2": "IExecutionContext.execute_v2",  # 6.0
    "execute_async_v2": "IExecutionContext.execute_async_v2",  # 6.0 to 9.3
    "execute_async_v3": "IExecutionContext.execute_async_v3",  # 8.5
    "report_to_profiler": "IExecutionContext.report_to_profiler",  # 8.2
    "clip": "ActivationType.CLIP",  # 5.1.2
    "verbose": "Logger.VERBOSE",  # 5.1
    "pre_padding": "IConvolutionLayer.pre_padding",  # 5.1
    "convolution_nd": "INetworkDefinition.add_convolution_nd",  # 6.0
    "pooling_nd": "INetworkDefinition.add_pooling_nd",  # 6.0
    "padding": "INetworkDefinition.add_padding",  # 5.0 to 9.3
    "formats": "ITensor.allowed_formats",  # 6.0
    "binding_format": "ICudaEngine.get_binding_format",  # 8.0 for sure, to 9.3
    "tf32": "BuilderFlag.TF32",  # 7.1
    "quantize": "INetworkDefinition.add_quantize",  # 8.0
    "quantize_typed": "IQuantizeLayer.to_type",  # 9.0: the output type is the third argument
    "timing_cache": "IBuilderConfig.create_timing_cache",  # 8.0
    "timing_cache_flag": "BuilderFlag.DISABLE_TIMING_CACHE",  # 7.1
    "inspector": "ICudaEngine.create_engine_inspector",  # 8.2
    "obey_precision": "BuilderFlag.OBEY_PRECISION_CONSTRAINTS",  # 8.2
    "strict_types": "BuilderFlag.STRICT_TYPES",  # 6.0 to 9.3
    "direct_io": "BuilderFlag.DIRECT_IO",  # 8.2
    "memory_pool": "IBuilderConfig.set_memory_pool_limit",  # 8.4
    "workspace_size": "IBuilderConfig.max_workspace_size",  # 6.0 to 9.3
    "tactic_sources": "IBuilderConfig.set_tactic_sources",  # 7.2 or 8.0
    "preview_features": "IBuilderConfig.set_preview_feature",  # 8.5
    "profiling_verbosity": "IBuilderConfig.profiling_verbosity",  # 7.1 or 8.0
    "cast": "INetworkDefinition.add_cast",  # 8.6
    "optimization_level": "IBuilderConfig.builder_optimization_level",  # 8.6
    "auxiliary_streams": "IBuilderConfig.max_aux_streams",  # 8.6
    "device_memory_v2": "ICudaEngine.device_memory_size_v2",  # 10.1
    "device_memory": "ICudaEngine.device_memory_size",  # to 10.16
    "layer_precision": "ILayer.precision",  # to 10.16
    "metadata": "ILayer.metadata",  # 8.6
    "parse_with_path": "OnnxParser.parse_from_file",  # 7.1
    "vector_operand": "MatrixOperation.VECTOR",  # 5.1
    "compute_capability": "IBuilderConfig.set_compute_capability",  # RTX
}  # type: Dict[str, str]


class Features(object):
    """Which of :data:`SWITCHES` a TensorRT offers; one boolean attribute each.

    :param trt: the module, or anything with the same attributes
    """

    def __init__(self, trt: Any) -> None:
        self.table = {name: has(trt, path) for name, path in SWITCHES.items()}  # type: Dict[str, bool]

    def __getattr__(self, name: str) -> bool:
        table = self.__dict__.get("table", {})  # type: Dict[str, bool]
        if name not in table:
            raise AttributeError(name)
        return table[name]
