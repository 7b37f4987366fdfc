/** @file DPO's kernels against float64, finite differences and TRL's table; log-probabilities that are not finite. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { dpoPairs, dpoTableGradient } from "../../src/kernels/dpo.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { finiteDifferences, logSoftmax, tableLoss } from "../reference/dpo.ts";
import { goldenTensors } from "../reference/goldens.ts";
import { sigmoid } from "../reference/pointwise.ts";
import { softplus } from "../reference/preference-loss.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const gpu = useGpu();

/** Rows [loss, d/dlog pi_w, d/dlog pi_l, margin] of pairs [policy w, l, reference w, l]. */
async function pairs(logProbs: Float32Array, beta: number): Promise<number[][]> {
  using _ = gpu().scope();
  const y = await readTensor(gpu(), dpoPairs(gpu(), uploadTensor(gpu(), logProbs, 4, "log probs"), beta));
  return Array.from({ length: y.length / 4 }, (_, i) => [...y.subarray(4 * i, 4 * i + 4)]);
}

it("pairs equal float64, each row alone the same bits", async () => {
  const input = fc.record({
    n: fc.integer({ min: 0, max: 150 }),
    beta: fc.constantFrom(0.01, 0.1, 1),
    scale: fc.constantFrom(0.1, 5, 300),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ n, beta, scale, seed }) => {
      const logProbs = normals(seed, 4 * n, scale);
      const found = await pairs(logProbs, beta);
      for (const [i, [loss, chosen, rejected, margin]] of found.entries()) {
        const [pw = 0, pl = 0, rw = 0, rl = 0] = logProbs.subarray(4 * i, 4 * i + 4);
        // In float32 the log-probabilities' size decides how exact their differences are.
        const z = beta * (pw - rw - (pl - rl));
        const slack = 4e-7 * beta * Math.max(...[pw, pl, rw, rl].map(Math.abs));
        expect(Math.abs(margin! - z)).toBeLessThanOrEqual(slack + 2e-7 * Math.abs(z));
        // WGSL's exp may be off by 3 + 2 |x| units in the last place.
        const expError = 1e-6 + 2.4e-7 * Math.abs(margin!);
        expect(Math.abs(loss! - softplus(-margin!))).toBeLessThanOrEqual(
          expError * softplus(-margin!) + 1e-37,
        );
        expect(Math.abs(chosen! + beta * sigmoid(-margin!))).toBeLessThanOrEqual(1e-6 * beta);
        expect(rejected).toBe(-chosen!);
      }
      if (n === 0) return;
      const r = seed % n;
      expect(await pairs(logProbs.slice(4 * r, 4 * r + 4), beta)).toEqual([found[r]]);
    }),
    { numRuns: 20 },
  );
});

it.each([0.1, 0.5])("pairs equal TRL's own numbers at beta %d", async (beta) => {
  const golden = goldenTensors("dpo-table");
  const columns = ["policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected"].map(
    (name) => golden.get(name).data,
  );
  const rows = await pairs(
    Float32Array.from({ length: 96 }, (_, i) => columns[i % 4]![i >> 2]!),
    beta,
  );
  const of = (what: string) => golden.get(`sigmoid/beta${beta}/${what}.f64`).data;
  // TRL's gradients are of each pair's own loss.
  for (const [i, [loss, chosen, rejected]] of rows.entries()) {
    const near = (found: number, value: number) =>
      expect(Math.abs(found - value), `row ${i}`).toBeLessThanOrEqual(5e-6 * (1 + Math.abs(value)));
    near(loss!, of("loss")[i]!);
    near(chosen!, of("grad_policy_chosen")[i]!);
    near(rejected!, of("grad_policy_rejected")[i]!);
  }
});

it("a log-probability that is not finite reaches all four results of its pair, and no other pair", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (let at = 0; at < 4; at++) {
      const logProbs = normals(5, 12);
      const clean = await pairs(logProbs, 0.1);
      logProbs[4 + at] = bad;
      const found = await pairs(logProbs, 0.1);
      expect(found[1]!.some(Number.isFinite), `${bad} at ${at}: ${found[1]}`).toBe(false);
      expect([found[0], found[2]]).toEqual([clean[0], clean[2]]);
    }
  }
});

async function tableGradient(
  logits: Float32Array,
  logReference: Float32Array,
  wins: Float32Array,
  candidates: number,
  beta: number,
) {
  using _ = gpu().scope();
  const upload = (data: Float32Array, label: string) => uploadTensor(gpu(), data, candidates, label);
  const into = createTensor(gpu(), logits.length / candidates, candidates, "gradient");
  dpoTableGradient(
    gpu(),
    {
      logits: upload(logits, "logits"),
      logReference: upload(logReference, "reference"),
      wins: upload(wins, "wins"),
      beta,
      total: 10,
    },
    into,
  );
  const raw = new Float32Array(await gpu().read(into.buffer, 0, into.rows * into.rowBytes));
  for (let r = 0; r < into.rows; r++)
    expect([...raw.subarray(r * into.stride + candidates, (r + 1) * into.stride)].every((v) => v === 0)).toBe(
      true,
    );
  return readTensor(gpu(), into);
}

it("the table's gradient is that of the expected loss, by finite differences in float64", async () => {
  const input = fc.record({
    prompts: fc.integer({ min: 1, max: 70 }),
    candidates: fc.integer({ min: 1, max: 6 }),
    beta: fc.constantFrom(0.1, 1),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ prompts, candidates: n, beta, seed }) => {
      const logits = normals(seed, prompts * n, 2);
      const logReference = Float32Array.from(
        Array.from({ length: prompts }, (_, x) => [...normals(seed + 7 + x, n)]).flatMap(logSoftmax),
      );
      const wins = normals(seed + 2, prompts * n * n).map(Math.abs);
      const found = await tableGradient(logits, logReference, wins, n, beta);
      const x = seed % prompts;
      const own = (values: Float32Array) => [...values.subarray(x * n, (x + 1) * n)];
      const table = Array.from({ length: n }, (_, i) => [
        ...wins.subarray((x * n + i) * n, (x * n + i + 1) * n),
      ]);
      const expected = finiteDifferences(
        (at) => tableLoss(at, own(logReference), table, beta) / 10,
        own(logits),
      );
      const size = Math.hypot(...expected, 0.01);
      for (const [k, g] of expected.entries()) expect(Math.abs(own(found)[k]! - g)).toBeLessThan(1e-5 * size);
    }),
    { numRuns: 20 },
  );
});

it("a logit that is not finite spoils its prompt's gradient and no other's", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const logits = normals(1, 9);
    const [reference, wins] = [normals(2, 9), normals(3, 27).map(Math.abs)];
    const clean = await tableGradient(logits, reference, wins, 3, 0.5);
    logits[4] = bad;
    const found = await tableGradient(logits, reference, wins, 3, 0.5);
    expect([...found.subarray(3, 6)].some(Number.isFinite), `${bad}: ${found}`).toBe(false);
    expect([...found.subarray(0, 3), ...found.subarray(6)]).toEqual([
      ...clean.subarray(0, 3),
      ...clean.subarray(6),
    ]);
  }
});
