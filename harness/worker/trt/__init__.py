"""TensorRT in every dialect of its Python interface, from 5.0 to 11, and TensorRT-RTX."""
