/** @file Metrics on the host: of a set of pairs, and of steps put together. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { evaluate, pairMetrics } from "../../src/train/evaluate.ts";
import { softplusNegative } from "../../src/train/losses/logistic.ts";
import { combine } from "../../src/train/metrics.ts";
import { preferenceLoss } from "../reference/preference-loss.ts";

const reward = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ min: -300, max: 300, noNaN: true }));
const label = fc.constantFrom(1, 0.5, 0, 0.25, 0.75);
const pairs = fc.array(fc.record({ chosen: reward, rejected: reward, margin: reward, label }), {
  minLength: 1,
  maxLength: 40,
});
const sides = (rows: readonly { readonly chosen: number; readonly rejected: number }[]) => ({
  chosen: Float32Array.from(rows, (r) => r.chosen),
  rejected: Float32Array.from(rows, (r) => r.rejected),
});

it("follows the definitions; ties are wrong; margin and label enter the loss; the label says who is right", () => {
  fc.assert(
    fc.property(pairs, fc.constantFrom(0, 0.1), (rows, centering) => {
      const { chosen, rejected } = sides(rows);
      const margins = rows.map((r) => r.margin);
      const labels = rows.map((r) => r.label);
      const found = pairMetrics({ chosen, rejected }, rows, centering);
      const { loss } = preferenceLoss(chosen, rejected, margins, centering, labels);
      expect(Math.abs(found.loss - loss)).toBeLessThan(1e-12 * (1 + loss));
      const n = rows.length;
      const all = [...chosen, ...rejected];
      const right = rows.filter((r) =>
        r.label > 0.5 ? r.chosen > r.rejected : r.label < 0.5 && r.rejected > r.chosen,
      );
      expect(found.accuracy).toBe(right.length / rows.filter((r) => r.label !== 0.5).length);
      expect(found.margin).toBeCloseTo(chosen.reduce((sum, r, i) => sum + r - rejected[i]!, 0) / n, 9);
      expect(found.min_reward).toBe(Math.min(...all));
      expect(found.max_reward).toBe(Math.max(...all));
      expect(found.mean_reward).toBeCloseTo(all.reduce((a, b) => a + b, 0) / (2 * n), 9);
      const plain = rows.map((r) => ({ ...r, margin: 0 }));
      expect({ ...pairMetrics({ chosen, rejected }, plain, centering), loss: 0 }).toEqual({
        ...found,
        loss: 0,
      });
    }),
  );
});

it("-log sigmoid is right far out", () => {
  expect(softplusNegative(0)).toBe(Math.LN2);
  expect(softplusNegative(-1e300)).toBe(1e300);
  expect(softplusNegative(800)).toBe(0);
  expect(softplusNegative(40)).toBeCloseTo(Math.exp(-40), 30);
});

it("steps put together are their pairs put together, whatever the sizes", () => {
  fc.assert(
    fc.property(fc.array(pairs, { minLength: 1, maxLength: 5 }), (steps) => {
      const parts = steps.map((rows) => ({
        pairs: rows.length,
        decided: rows.filter((r) => r.label !== 0.5).length,
        metrics: pairMetrics(sides(rows), rows, 0.1),
      }));
      const rows = steps.flat();
      const whole = pairMetrics(sides(rows), rows, 0.1);
      for (const [name, value] of Object.entries(combine(parts))) {
        const expected = whole[name as keyof typeof whole];
        if (Number.isNaN(expected)) expect([name, value]).toEqual(["accuracy", Number.NaN]);
        else expect(Math.abs(value - expected)).toBeLessThan(1e-9 * (1 + Math.abs(value)));
      }
    }),
  );
});

it("a line may put together more steps than a call takes arguments", () => {
  const { chosen, rejected } = sides([{ chosen: 2, rejected: -1 }]);
  const target = [{ margin: 0, label: 1 }];
  const part = { pairs: 1, decided: 1, metrics: pairMetrics({ chosen, rejected }, target, 0) };
  expect(combine(new Array(300_000).fill(part))).toMatchObject({
    min_reward: -1,
    max_reward: 2,
    accuracy: 1,
  });
});

it("groups by a field of the records, in order; records without it belong to none", () => {
  const kinds = ["b", "a", "b", undefined, 7, null];
  const set = kinds.map((kind, i) => ({
    record: {
      where: `x:${i}`,
      content: { kind: "text", prompt: "", replies: [i === 0 ? "longer" : "same", "same"] } as const,
      extra: kind === undefined ? {} : { kind },
    },
    item: {
      sequences: [],
      truncated: [],
      dropped: false,
      identical: false,
      whole: { lengths: [], identical: false },
    },
    margin: 0,
    label: 1,
    replyStarts: [],
  }));
  const rewards = { chosen: Float32Array.of(1, 1, 0, 1, 1, 1), rejected: Float32Array.of(0, 1, 1, 0, 0, 0) };
  const { groups, accuracy, baselines } = evaluate(set, rewards, 0, "kind");
  expect(groups.map((g) => [g.group, g.n, g.accuracy, g.ties])).toEqual([
    ["7", 1, 1, 0],
    ["a", 1, 0, 1],
    ["b", 2, 0.5, 0],
  ]);
  expect(accuracy).toMatchObject({ n: 6, accuracy: 4 / 6, ties: 1 });
  expect(baselines).toEqual({ longer: 3.5 / 6, shorter: 2.5 / 6, ties: 5 });
  expect(evaluate(set, rewards, 0, "topic").groups).toEqual([]);
  const soft = set.map((pair, i) => ({ ...pair, label: [0.5, 0.2, 0.2, 1, 1, 1][i]! }));
  const turned = evaluate(soft, rewards, 0, "kind");
  expect(turned.groups.map((g) => [g.group, g.n, g.accuracy, g.ties])).toEqual([
    ["7", 1, 1, 0],
    ["a", 1, 0, 1],
    ["b", 1, 1, 0],
  ]);
  expect(turned.accuracy).toMatchObject({ n: 5, accuracy: 4 / 5, ties: 1 });
  expect(turned.baselines).toEqual({ longer: 0.5, shorter: 0.5, ties: 5 });
});
