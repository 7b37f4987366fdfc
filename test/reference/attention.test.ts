/** @file The float64 attention: by hand, and a packed forest against each of its paths alone. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AttentionShape,
  causalAttention,
  forestAttention,
  forestAttentionGradient,
} from "./attention.ts";
import { values } from "./values.ts";

describe("attention", () => {
  const shape: AttentionShape = { heads: 4, kvHeads: 2, headDim: 6, scale: 0.3 };
  const qkv = (rows: number, seed: number) =>
    [values(rows * 24, seed), values(rows * 12, seed + 1), values(rows * 12, seed + 2)] as const;

  it("gives the first token its own value, and equal keys the mean of the values", () => {
    const [q, , v] = qkv(3, 4);
    const { out, logSumExp: lse } = causalAttention(q, new Float64Array(36), v, shape);
    expect(out.subarray(0, 6)).toEqual(v.subarray(0, 6));
    expect(out.subarray(18, 24)).toEqual(v.subarray(6, 12));
    expect(out[48]).toBeCloseTo(((v[0] ?? 0) + (v[12] ?? 0) + (v[24] ?? 0)) / 3, 14);
    expect(lse[8]).toBeCloseTo(Math.log(3), 14);
  });

  it("over a packed forest is attention over each path alone", () => {
    const tree = fc.record({
      prompt: fc.nat(5),
      leaves: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 3 }), (forest) => {
        const segments: number[] = [];
        const paths: number[][] = [];
        let rows = 0;
        const place = (length: number) => {
          rows += length;
          return Array.from({ length }, (_, i) => rows - length + i);
        };
        for (const { prompt, leaves } of forest) {
          const parent = place(prompt);
          if (prompt > 0) segments.push(0, 0, parent[0] ?? 0, prompt);
          for (const length of leaves) {
            const own = place(length);
            segments.push(parent[0] ?? 0, prompt, own[0] ?? 0, length);
            paths.push([...parent, ...own]);
          }
        }
        const [q, k, v] = qkv(rows, rows);
        const packed = forestAttention(q, k, v, shape, { rows, segments: Int32Array.from(segments) });
        for (const path of paths) {
          const gather = (x: Float64Array, width: number) =>
            Float64Array.from(path.flatMap((row) => [...x.subarray(row * width, (row + 1) * width)]));
          const alone = causalAttention(gather(q, 24), gather(k, 12), gather(v, 12), shape);
          expect(gather(packed.out, 24)).toEqual(alone.out);
          expect(gather(packed.logSumExp, 4)).toEqual(alone.logSumExp);
        }
      }),
    );
  });

  it("has the gradient that finite differences have, over a forest", () => {
    // A prompt of 3 with replies of 2 and 1, and a sequence of 2 without a prompt.
    const segments = Int32Array.of(0, 0, 0, 3, 0, 3, 3, 2, 0, 3, 5, 1, 0, 0, 6, 2);
    const batch = { rows: 8, segments };
    const inputs = qkv(8, 3).map((x) => Float64Array.from(x));
    const dy = values(8 * 24, 9);
    const loss = () => {
      const [q = [], k = [], v = []] = inputs;
      return forestAttention(q, k, v, shape, batch).out.reduce((sum, y, i) => sum + y * (dy[i] ?? 0), 0);
    };
    const [q = [], k = [], v = []] = inputs;
    const { dq, dk, dv } = forestAttentionGradient(dy, q, k, v, shape, batch);
    const step = 1e-5;
    [dq, dk, dv].forEach((gradient, part) => {
      const x = inputs[part] ?? new Float64Array();
      gradient.forEach((derivative, i) => {
        const before = x[i] ?? 0;
        x[i] = before + step;
        const above = loss();
        x[i] = before - step;
        const below = loss();
        x[i] = before;
        expect((above - below) / (2 * step), `input ${part}, value ${i}`).toBeCloseTo(derivative, 7);
      });
    });
  });
});
