/** @file What a kept feature is keyed by: everything that its bits depend on, and nothing else. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { DeviceFacts } from "../../../src/gpu/facts.ts";
import { VariantChoices } from "../../../src/gpu/variants.ts";
import { TuningTable } from "../../../src/kernels/tuning/table.ts";
import { parseConfig } from "../../../src/model/config.ts";
import { keyBytes, rowKey, spaceOf } from "../../../src/train/feature-cache/keys.ts";

const json = {
  model_type: "llama",
  architectures: ["LlamaModel"],
  hidden_size: 24,
  intermediate_size: 36,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 64,
  vocab_size: 40,
  rms_norm_eps: 1e-5,
};
const limits = {
  maxBinding: 1,
  maxBuffer: 1,
  maxWorkgroups: 1,
  offsetAlignment: 1,
  uniformAlignment: 1,
  maxInvocations: 1,
  workgroupStorage: 1,
};
const facts: DeviceFacts = {
  vendor: "mesa",
  architecture: "software",
  device: "llvmpipe",
  description: "llvmpipe: 25.0",
  software: true,
  features: new Set(["subgroups", "shader-f16"]),
  limits,
  subgroupMin: 8,
  subgroupMax: 8,
  precision: "f32",
  matrices: [],
};

const space = (
  config: object = {},
  weights = "w",
  own: Partial<DeviceFacts> = {},
  variants = new VariantChoices(),
) =>
  spaceOf(parseConfig({ ...json, ...config }, "config.json"), weights, {
    facts: { ...facts, ...own },
    variants,
  });

it("the space follows the decoder, its weights and the adapter", () => {
  const known = space();
  expect(known).toMatch(/^[0-9a-f]{32}$/);
  expect(space()).toBe(known);
  const others = [
    space({ rms_norm_eps: 1e-6 }),
    space({ rope_theta: 5e5 }),
    space({ num_key_value_heads: 4 }),
    space({ vocab_size: 41 }),
    space({}, "other"),
    space({}, "w", { description: "llvmpipe: 25.1" }),
    space({}, "w", { vendor: "other" }),
    space({}, "w", { subgroupMin: 0 }),
    space({}, "w", { software: false }),
    space({}, "w", { features: new Set(["subgroups"]) }),
    space({}, "w", { precision: "f16" }),
    space({}, "w", { precision: "f16-emulated" }),
  ];
  expect(new Set([known, ...others]).size).toBe(1 + others.length);
});

it("the space does not follow the head, special ids, spelling, or limits that change no bit", () => {
  const known = space();
  expect(space({ architectures: ["LlamaForSequenceClassification"], num_labels: 1 })).toBe(known);
  expect(space({ pad_token_id: 3, eos_token_id: 2, bos_token_id: 1, torch_dtype: "bfloat16" })).toBe(known);
  expect(space({ rmtrain: { version: 1 }, _name_or_path: "x" })).toBe(known);
  expect(space({}, "w", { limits: { ...limits, maxBinding: 2 } })).toBe(known);
  expect(space({}, "w", { features: new Set(["shader-f16", "subgroups"]) })).toBe(known);
});

it("the space follows choices of variants that change bits, and no others", async () => {
  const forced = (name: string, variant: string) => new VariantChoices([[name, variant]]);
  const tuned = async (operation: string) => {
    const choices = new VariantChoices();
    const entry = { operation, rows: 0, cols: 16, dtype: "f32", fewRows: false, variant: "portable" };
    choices.tuned = await TuningTable.of([entry], "test");
    return choices;
  };
  const known = space();
  expect(space({}, "w", {}, forced("linear", "tile"))).toBe(known);
  expect(space({}, "w", {}, await tuned("linear"))).toBe(known);
  expect(space({}, "w", {}, forced("attention", "portable"))).not.toBe(known);
  expect(space({}, "w", {}, await tuned("attention"))).not.toBe(known);
});

it("a row's key follows its ids and where it is read", () => {
  const ids = fc.array(fc.nat(3), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(ids, ids, fc.nat(3), fc.nat(3), (a, b, readA, readB) => {
      const [first, second] = [rowKey(Int32Array.from(a), readA), rowKey(Int32Array.from(b), readB)];
      expect(first.length).toBe(keyBytes);
      expect(first === second).toBe(readA === readB && a.join() === b.join());
    }),
  );
});
