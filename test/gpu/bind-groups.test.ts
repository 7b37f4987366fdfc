/** @file The caches of a recording against plain maps: a group or pipeline is found where it was added, and nowhere else. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { BindGroups, type Binding } from "../../src/gpu/bind-groups.ts";
import { GpuBuffer } from "../../src/gpu/buffers.ts";
import type { KernelSource, Variant } from "../../src/gpu/kernel-source.ts";
import { PipelineTable } from "../../src/gpu/pipeline-table.ts";
import type { CompiledKernel } from "../../src/gpu/pipelines.ts";

const some = fc.constantFrom(undefined, 0, 256, 2 ** 32 + 256);
const range = fc.record({ buffer: fc.nat(4), offset: some, size: some });
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ layout: fc.nat(2), ranges: fc.array(range, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ forget: fc.nat(4) }) },
);

it("bind groups are found by layout, buffers and ranges until a buffer of theirs is forgotten", () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 5, maxLength: 60 }), (commands) => {
      const buffers = Array.from({ length: 5 }, (_, id) => new GpuBuffer(id, undefined, 16, `buffer ${id}`));
      const groups = new BindGroups();
      const known = new Map<string, { group: GPUBindGroup; buffers: number[] }>();
      for (const one of commands) {
        if ("forget" in one) {
          groups.forget(buffers[one.forget]!);
          for (const [key, { buffers: own }] of known) if (own.includes(one.forget)) known.delete(key);
          continue;
        }
        const bindings = one.ranges.map(
          ({ buffer, offset, size }): Binding => ({
            buffer: buffers[buffer]!,
            ...(offset === undefined ? {} : { offset }),
            ...(size === undefined ? {} : { size }),
          }),
        );
        // No offset is the offset 0; no size is another than every size.
        const key = JSON.stringify([
          one.layout,
          ...one.ranges.map((r) => [r.buffer, r.offset ?? 0, r.size ?? "rest"]),
        ]);
        const found = groups.find(one.layout, bindings);
        expect(found).toBe(known.get(key)?.group);
        if (found !== undefined) continue;
        const group = { label: key } as GPUBindGroup;
        groups.add(one.layout, bindings, group);
        known.set(key, { group, buffers: one.ranges.map(({ buffer }) => buffer) });
      }
      for (const buffer of buffers) groups.forget(buffer);
      expect(buffers.map(({ bindGroups }) => bindGroups.size)).toEqual([0, 0, 0, 0, 0]);
    }),
  );
});

const kernel = (name: string): KernelSource => ({
  name,
  source: "",
  enables: [],
  headers: { weight: { f32: "", f16: "" }, lanes: { one: "", two: "" } },
  bindings: [],
  params: [],
  overrides: ["WG", "ROWS"],
});

it("pipelines are found by kernel, headers and overrides, whatever objects say them", () => {
  const kernels = [kernel("a"), kernel("a")];
  const table = new PipelineTable();
  const choices = kernels.flatMap((of) =>
    ["f32", "f16"].flatMap((weight) =>
      [{}, { WG: 8 }, { ROWS: 8 }, { WG: 8, ROWS: 8 }].map((overrides) => ({ of, weight, overrides })),
    ),
  );
  const variant = ({ weight, overrides }: (typeof choices)[number]): Variant => ({
    headers: { weight, lanes: "one" },
    overrides,
  });
  const compiled = choices.map((choice, i) => {
    expect(table.find(choice.of, variant(choice))).toBe(undefined);
    const one = { kernel: choice.of, key: `${i}` } as CompiledKernel;
    table.add(choice.of, variant(choice), one);
    return one;
  });
  expect(choices.map((choice) => table.find(choice.of, variant(choice)))).toEqual(compiled);
  expect(table.size).toBe(choices.length);
  table.remove(compiled[3]!);
  table.remove(compiled[3]!);
  expect(table.size).toBe(choices.length - 1);
  expect(choices.map((choice) => table.find(choice.of, variant(choice)))).toEqual(
    compiled.with(3, undefined as never),
  );
});
