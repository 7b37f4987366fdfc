/**
 * @file Reading and writing safetensors checkpoints. The header and the conversions (`header.ts`, `convert.ts`) run in
 * a browser too; the rest needs Node's files.
 */
export { type ByteRange, type Checkpoint, openCheckpoint, type TensorChunk } from "./checkpoint.ts";
export { f32ToBf16, f32ToF16, fromFloat32, toFloat32, toFloat64 } from "./convert.ts";
export { type Dtype, isDtype, isReadable, tensorByteLength } from "./dtype.ts";
export { type Header, headerByteLength, parseHeader, type TensorInfo } from "./header.ts";
export { defaultMaxShardSize, writeCheckpoint } from "./sharded.ts";
export { type TensorSource, writeSafetensors } from "./write.ts";
