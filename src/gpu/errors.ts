/** @file Every WebGPU failure as a typed exception that names the kernel, the buffer or the tensor. */
import { RmtrainError } from "../errors.ts";

/** No adapter, or the device could not be opened. */
export class NoAdapterError extends RmtrainError {
  override name = "NoAdapterError";
}

/** WGSL that does not compile: a defect of rmtrain or of the driver. */
export class ShaderError extends RmtrainError {
  override name = "ShaderError";
}

/** A command that the device refused. Work submitted with it did not happen. */
export class GpuValidationError extends RmtrainError {
  override name = "GpuValidationError";
}

/** The budget or the device's memory is exhausted, or one tensor is larger than the device can hold. */
export class OutOfMemoryError extends RmtrainError {
  override name = "OutOfMemoryError";
}

/** The device is gone; nothing on it can be read any more. */
export class DeviceLostError extends RmtrainError {
  override name = "DeviceLostError";
}

/** The typed form of what a device's `uncapturederror` event carries. */
export function typedError(error: GPUError): RmtrainError {
  const kind = error.constructor.name;
  if (kind === "GPUOutOfMemoryError")
    return new OutOfMemoryError(`The GPU ran out of memory: ${error.message}`);
  return new GpuValidationError(`The GPU refused a command (${kind}): ${error.message}`);
}

/** Binary units with at most one decimal: 1536 -> "1.5 KiB". */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}
