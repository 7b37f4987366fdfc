/** @file Values of options: what is understood, what is refused. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { bytes, nonNegative, positiveInteger, share, wholeNumber } from "../../src/cli/options.ts";

it("whole numbers are read back as they are, and nothing else is taken for one", () => {
  fc.assert(
    fc.property(fc.nat(), (n) => {
      expect(wholeNumber(String(n))).toBe(n);
      expect(positiveInteger(String(n + 1))).toBe(n + 1);
    }),
  );
  for (const text of ["", " ", "-1", "1.5", "one", "1e400", "NaN"]) {
    expect(() => wholeNumber(text), text).toThrow("whole number");
    expect(() => positiveInteger(text), text).toThrow("whole number");
  }
  expect(() => positiveInteger("0")).toThrow("above 0");
});

it("rates and shares", () => {
  expect([nonNegative("0"), nonNegative("5e-2"), share("0"), share("0.1")]).toEqual([0, 0.05, 0, 0.1]);
  for (const text of ["-1e-9", "", "x", "Infinity"]) expect(() => nonNegative(text), text).toThrow("number");
  for (const text of ["1", "-0.1", ""]) expect(() => share(text), text).toThrow("share");
});

it("bytes, in binary and decimal units", () => {
  const values = ["512MiB", "4GiB", "2e9", "1.5 kib", "3GB", "1"].map(bytes);
  expect(values).toEqual([2 ** 29, 2 ** 32, 2e9, 1536, 3e9, 1]);
  for (const text of ["", "0", "-1", "4 apples", "GiB", "1..5", "1e400"])
    expect(() => bytes(text), text).toThrow("bytes");
});
