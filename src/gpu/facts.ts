/** @file What an opened device is and can do, as plain data: for `doctor`, for choosing variants, for caches' keys. */

import { type MatrixConfig, matrixConfigs, type Precision } from "./precision.ts";

/** Limits that the engine plans with. Tests lower some of them to reach windowed and folded paths with small data. */
export interface Limits {
  /** Bytes that one binding may cover. */
  readonly maxBinding: number;
  /** Bytes of one buffer. */
  readonly maxBuffer: number;
  /** Workgroups along one dimension of a dispatch. */
  readonly maxWorkgroups: number;
  /** Alignment of a binding's offset, in bytes. */
  readonly offsetAlignment: number;
  /** Alignment of a uniform's dynamic offset, in bytes. */
  readonly uniformAlignment: number;
  readonly maxInvocations: number;
  readonly workgroupStorage: number;
}

export interface DeviceFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** The driver runs on the CPU: work is planned in smaller submits. */
  readonly software: boolean;
  readonly features: ReadonlySet<string>;
  readonly limits: Limits;
  /** Smallest and largest size of a subgroup; 0 where subgroups are missing. */
  readonly subgroupMin: number;
  readonly subgroupMax: number;
  /** The precision class that the device was opened for. */
  readonly precision: Precision;
  /** The adapter's matrix units; none where the device was not opened for them. */
  readonly matrices: readonly MatrixConfig[];
}

const softwareNames = /llvmpipe|lavapipe|swiftshader|software|microsoft basic render|warp/i;

export function deviceFacts(
  device: GPUDevice,
  info: GPUAdapterInfo,
  faked: Partial<Limits> = {},
  precision: Precision = "f32",
): DeviceFacts {
  const l = device.limits;
  const has = device.features.has("subgroups");
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    software:
      info.isFallbackAdapter || softwareNames.test(`${info.description} ${info.device} ${info.architecture}`),
    features: new Set(device.features),
    limits: {
      maxBinding: l.maxStorageBufferBindingSize,
      maxBuffer: l.maxBufferSize,
      maxWorkgroups: l.maxComputeWorkgroupsPerDimension,
      offsetAlignment: l.minStorageBufferOffsetAlignment,
      uniformAlignment: l.minUniformBufferOffsetAlignment,
      maxInvocations: l.maxComputeInvocationsPerWorkgroup,
      workgroupStorage: l.maxComputeWorkgroupStorageSize,
      ...faked,
    },
    subgroupMin: (has && info.subgroupMinSize) || 0,
    subgroupMax: (has && info.subgroupMaxSize) || 0,
    precision,
    matrices: matrixConfigs(info),
  };
}
