/** @file The verdict on a demonstration: a claim that fails, a control that comes out equal, evidence that is missing. */
import { expect, it } from "vitest";
import { type EquivRow, equivRow, failures, isAsItMust, largest } from "../../../src/audit/equiv/row.ts";

const good: readonly EquivRow[] = [
  equivRow("construction", "one function", 0, 0),
  equivRow("independent", "equal", 1e-16, 1e-12),
  equivRow("control", "blind", 0.3, 1e-12),
  equivRow("optimum", "same", 1e-9, 1e-6),
];

it("a row passes within its bound; a control must not", () => {
  expect(good.map((row) => row.pass)).toEqual([true, true, false, true]);
  expect(good.map(isAsItMust)).toEqual([true, true, true, true]);
  expect(failures(good)).toEqual([]);
});

it("a broken claim and a control that comes out equal are failures", () => {
  const broken = equivRow("independent", "broken", 2e-12, 1e-12);
  expect(failures([...good, broken])).toEqual(['"broken" does not hold: 2e-12 is above 1e-12']);
  const blind = equivRow("control", "no reference", 1e-13, 1e-12);
  expect(failures([...good, blind])).toEqual([
    'the control "no reference" came out equal (1e-13 within 1e-12): the comparison is blind to it',
  ]);
});

it("what is not a number is right nowhere", () => {
  for (const kind of ["independent", "control"] as const)
    expect(failures([...good, equivRow(kind, "x", Number.NaN, 1)])).toHaveLength(1);
  expect(largest([1, Number.NaN, 3])).toBeNaN();
  expect([largest([]), largest([2, 5, 3])]).toEqual([0, 5]);
});

it("each kind of evidence must be there", () => {
  expect(failures([])).toHaveLength(4);
  expect(failures(good.slice(0, 3))).toEqual(["no evidence by optimum was given"]);
});
