/** @file `rmtrain doctor`: facts, checks and ceilings of the adapter at hand. */
import { expect, it } from "vitest";
import type { Diagnosis } from "../../src/audit/doctor.ts";
import { rmtrain } from "./run-rmtrain.ts";

it("a usable adapter: exit code 0, every check passed, ceilings measured", async () => {
  const { code, out, err } = await rmtrain(["doctor", "--json"]);
  expect(code, err).toBe(0);
  const diagnosis = JSON.parse(out) as Diagnosis;
  expect(diagnosis.checks.length).toBeGreaterThanOrEqual(5);
  expect(diagnosis.checks.filter((check) => !check.ok)).toEqual([]);
  expect(diagnosis.variants.runnable.linear).toContain("tile");
  expect(diagnosis.f16.detail).toMatch(diagnosis.f16.usable ? /^matrix units/ : /this adapter/);
  expect(diagnosis.limits.maxBinding).toBeGreaterThanOrEqual(2 ** 27);
  expect(diagnosis.ceilings.bytesPerSecond).toBeGreaterThan(1e7);
  expect(diagnosis.ceilings.flopsPerSecond).toBeGreaterThan(1e8);
});

it("the table names the adapter and each verdict", async () => {
  const { out } = await rmtrain(["doctor"]);
  expect(out).toMatch(/^adapter +\S/m);
  expect(out).toMatch(/^variants +\S.*table of measured choices: \S/m);
  expect(out).toMatch(/^ok +matrix product: relative error/m);
  expect(out).not.toContain("FAILED");
});
