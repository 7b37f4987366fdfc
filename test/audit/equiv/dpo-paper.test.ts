/** @file DPO from the paper: it shares nothing with the trainer, and is right by TRL's numbers and finite differences. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, it } from "vitest";
import { dpoGradient, dpoLoss, dpoMargin, dpoWeight } from "../../../src/audit/equiv/dpo-paper.ts";
import { trlBetas, trlPairs } from "../../../src/audit/equiv/trl-table.ts";
import { finiteDifferences, logSoftmax } from "../../reference/dpo.ts";
import { goldenTensors } from "../../reference/goldens.ts";
import { normals } from "../../support/numbers.ts";

const read = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), "utf8");

it("imports nothing of the trainer's: the float64 file nothing at all, the device's only what every kernel uses", () => {
  const imports = (code: string) =>
    [...code.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]*)"/g)].map(([, at]) => at);
  expect(imports(read("src/audit/equiv/dpo-paper.ts"))).toEqual([]);
  expect(imports(read("src/kernels/dpo.ts"))).toEqual([
    "../gpu/gpu.ts",
    "../gpu/kernel-source.ts",
    "../tensor/tensor.ts",
    "./generated/index.ts",
    "./row-kernel.ts",
    "./shapes.ts",
  ]);
  expect(read("src/kernels/dpo.ts")).toContain(
    'import { dpoPairs as pairsKernel, dpoTable as tableKernel } from "./generated/index.ts"',
  );
  const included = (file: string) => [...read(file).matchAll(/^\/\/#include (\w+)/gm)].map(([, lib]) => lib);
  expect(included("wgsl/dpo_pairs.wgsl")).toEqual(["grid", "finite", "dpo"]);
  expect(included("wgsl/dpo_table.wgsl")).toEqual(["grid", "finite", "dpo"]);
  expect(included("wgsl/pair_loss.wgsl")).toEqual(["finite", "stable", "pair"]);
});

it("the shipped table is TRL's golden, bit for bit", () => {
  const golden = goldenTensors("dpo-table");
  const column = (name: string) => [...golden.get(name).data];
  expect(trlPairs.map((p) => p.policyChosen)).toEqual(column("policy_chosen"));
  expect(trlPairs.map((p) => p.policyRejected)).toEqual(column("policy_rejected"));
  expect(trlPairs.map((p) => p.referenceChosen)).toEqual(column("reference_chosen"));
  expect(trlPairs.map((p) => p.referenceRejected)).toEqual(column("reference_rejected"));
  for (const [b, beta] of trlBetas.entries()) {
    const of = (what: string) => column(`sigmoid/beta${beta}/${what}.f64`);
    expect(trlPairs.map((p) => p.results[b]!.loss)).toEqual(of("loss"));
    expect(trlPairs.map((p) => p.results[b]!.gradChosen)).toEqual(of("grad_policy_chosen"));
    expect(trlPairs.map((p) => p.results[b]!.gradRejected)).toEqual(of("grad_policy_rejected"));
  }
});

it("gives TRL's losses and gradients", () => {
  for (const four of trlPairs) {
    for (const [b, beta] of trlBetas.entries()) {
      const trl = four.results[b]!;
      expect(Math.abs(dpoLoss(four, beta) - trl.loss)).toBeLessThanOrEqual(1e-12);
      expect(Math.abs(-beta * dpoWeight(four, beta) - trl.gradChosen)).toBeLessThanOrEqual(1e-12);
      expect(Math.abs(beta * dpoWeight(four, beta) - trl.gradRejected)).toBeLessThanOrEqual(1e-12);
    }
  }
});

it("its gradient is that of its loss, in the logits of a policy", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(0.01, 0.1, 1), (seed, beta) => {
      const theta = [...normals(seed, 5, 2)];
      const reference = logSoftmax([...normals(seed + 1, 5)]);
      const four = (at: readonly number[]) => {
        const logProbs = logSoftmax(at);
        return {
          policyChosen: logProbs[1]!,
          policyRejected: logProbs[3]!,
          referenceChosen: reference[1]!,
          referenceRejected: reference[3]!,
        };
      };
      const probabilities = logSoftmax(theta).map(Math.exp);
      const score = (k: number) => probabilities.map((p, m) => (k === m ? 1 : 0) - p);
      const found = dpoGradient(four(theta), beta, score(1), score(3));
      const expected = finiteDifferences((at) => dpoLoss(four(at), beta), theta);
      for (const [m, g] of expected.entries()) expect(Math.abs(found[m]! - g)).toBeLessThan(1e-8);
    }),
  );
});

it("is right far out, and ln 2 where policy and reference agree", () => {
  const far = (margin: number) => ({
    policyChosen: margin,
    policyRejected: 0,
    referenceChosen: 0,
    referenceRejected: 0,
  });
  expect(dpoLoss(far(0), 0.1)).toBe(Math.LN2);
  expect(dpoLoss(far(-3000), 0.1)).toBe(300);
  expect(dpoLoss(far(3000), 0.1)).toBeCloseTo(Math.exp(-300), 140);
  expect(dpoLoss(far(1e6), 1)).toBe(0);
  expect(dpoLoss(far(-1e6), 1)).toBe(1e6);
  expect(dpoMargin(far(7), 0.5)).toBe(3.5);
  expect([dpoWeight(far(-1e6), 1), dpoWeight(far(1e6), 1)]).toEqual([1, 0]);
});
