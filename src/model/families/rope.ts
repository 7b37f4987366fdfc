/**
 * @file The rotary embedding's parameters: transformers 4 writes `rope_theta` and `rope_scaling`,
 * transformers 5 writes both as `rope_parameters`. Types "default" and "llama3" are implemented.
 */
import { z } from "zod";
import { InputError } from "../../errors.ts";
import type { Rope } from "../config.ts";
import { notImplemented, readFields } from "./fields.ts";

const DEFAULT_THETA = 10_000;

const parameters = z.looseObject({
  rope_theta: z.number().positive().nullish(),
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  partial_rotary_factor: z.number().nullish(),
});

const schema = z.looseObject({
  rope_theta: z.number().positive().nullish(),
  rope_scaling: parameters.nullish(),
  rope_parameters: parameters.nullish(),
  partial_rotary_factor: z.number().nullish(),
});

const llama3 = z.looseObject({
  factor: z.number().positive(),
  low_freq_factor: z.number().positive(),
  high_freq_factor: z.number().positive(),
  original_max_position_embeddings: z.int().positive(),
});

/** Reads the rotary parameters of a config. Throws InputError for a type or a key that is not implemented. */
export function parseRope(raw: Readonly<Record<string, unknown>>, file: string): Rope {
  const config = readFields(schema, raw, file);
  const key = config.rope_scaling ? "rope_scaling" : "rope_parameters";
  const given = config[key] ?? {};
  const nested = config.rope_parameters?.rope_theta;
  if (nested != null && config.rope_theta != null && nested !== config.rope_theta) {
    throw new InputError(
      `${file}: rope_theta (${config.rope_theta}) and rope_parameters.rope_theta (${nested}) contradict each other`,
    );
  }
  const theta = given.rope_theta ?? nested ?? config.rope_theta ?? DEFAULT_THETA;
  for (const factor of [
    config.partial_rotary_factor,
    config.rope_parameters?.partial_rotary_factor,
    given.partial_rotary_factor,
  ]) {
    if (factor != null && factor !== 1)
      throw notImplemented(file, "partial_rotary_factor", factor, "only 1 is");
  }
  const perLayerType = Object.entries(given).find(([, value]) => typeof value === "object" && value !== null);
  if (perLayerType) throw notImplemented(file, `${key}.${perLayerType[0]}`, perLayerType[1], "one rope is");

  const type = given.rope_type ?? given.type ?? "default";
  if (type === "default") return { theta };
  if (type !== "llama3") throw notImplemented(file, `${key} type`, type, "default and llama3 are");
  const values = readFields(z.looseObject({ [key]: llama3 }), { [key]: given }, file)[key];
  if (!values) throw new InputError(`${file}: ${key} has no llama3 values`);
  if (values.low_freq_factor >= values.high_freq_factor) {
    throw new InputError(`${file}: ${key}: low_freq_factor must be below high_freq_factor`);
  }
  return {
    theta,
    scaling: {
      type: "llama3",
      factor: values.factor,
      lowFreqFactor: values.low_freq_factor,
      highFreqFactor: values.high_freq_factor,
      originalMaxPositions: values.original_max_position_embeddings,
    },
  };
}
