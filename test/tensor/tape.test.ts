/** @file The tape over plain operations: gradients against formulas written out, lifetimes, what is not recorded. */
import { expect, it } from "vitest";
import { addInto } from "../../src/kernels/add.ts";
import { linear } from "../../src/kernels/linear.ts";
import { linearInputGradient, linearWeightGradient } from "../../src/kernels/linear-gradient.ts";
import { Tape } from "../../src/tensor/tape.ts";
import { createTensor, readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const device = useGpu();
const N = 4;

/** y = x W^T on a tape. */
function multiply(tape: Tape, x: Tensor, weight: Tensor): Tensor {
  const { gpu } = tape;
  const y = linear(gpu, x, weight);
  if (!tape.tracks(x, weight)) return y;
  const into = tape.parameter(weight);
  tape.record(y, into === undefined ? [] : [x], (dy) => {
    tape.give(x, (dx) => linearInputGradient(gpu, dy, weight, dx));
    if (into !== undefined) linearWeightGradient(gpu, dy, x, into, true);
  });
  return y;
}

/** y += x on a tape: in place. */
function addTo(tape: Tape, y: Tensor, x: Tensor): void {
  addInto(tape.gpu, y, x);
  tape.record(y, [], (dy) => {
    tape.give(x, (dx) => {
      const sum = dx ?? zeros(tape, dy);
      addInto(tape.gpu, sum, dy);
      return sum;
    });
    tape.pass(y, dy);
  });
}

function zeros({ gpu }: Tape, like: Tensor): Tensor {
  const tensor = createTensor(gpu, like.rows, like.cols, "zeros");
  gpu.recorder.clear(tensor.buffer, 0, tensor.buffer.size);
  return tensor;
}

const square = (seed: number) => normals(seed, N * N);
const times = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Float64Array.from({ length: N * N }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < N; k++) sum += a[N * Math.floor(i / N) + k]! * b[N * k + (i % N)]!;
    return sum;
  });
const turned = (a: ArrayLike<number>) =>
  Float64Array.from({ length: N * N }, (_, i) => a[N * (i % N) + Math.floor(i / N)]!);
const sum = (a: ArrayLike<number>, b: ArrayLike<number>) => Float64Array.from(a, (v, i) => v + b[i]!);

/** Weights w0, w1... and the places of their gradients, zeros at first. */
function parameters(count: number) {
  const gpu = device();
  const weights = Array.from({ length: count }, (_, i) => uploadTensor(gpu, square(10 + i), N, `w${i}`));
  const gradients = weights.map((_, i) => uploadTensor(gpu, new Float32Array(N * N), N, `dw${i}`));
  return { weights, gradients, map: new Map(weights.map((w, i) => [w, gradients[i]!])) };
}

it("adds up the gradients of several uses, through operations in place too", async () => {
  const gpu = device();
  using _scope = gpu.scope();
  const { weights, gradients, map } = parameters(2);
  const [w0, w1] = weights as [Tensor, Tensor];
  const x = uploadTensor(gpu, square(1), N, "x");
  using tape = new Tape(gpu, map, addInto);
  const a = multiply(tape, x, w0);
  const b = multiply(tape, a, w1);
  const c = multiply(tape, a, w1); // w1 and a are used twice
  addTo(tape, b, c);
  addTo(tape, b, a); // and a once more
  tape.backward([[b, uploadTensor(gpu, square(2), N, "dy")]]);
  expect(tape.length).toBe(0);
  const [d0, d1] = await Promise.all(gradients.map((g) => readTensor(gpu, g)));
  const dy = Float64Array.from(square(2));
  const am = times(square(1), turned(square(10)));
  const da = sum(dy, sum(times(dy, square(11)), times(dy, square(11))));
  expect(
    relativeError(
      d1!,
      times(turned(dy), am).map((v) => 2 * v),
    ),
  ).toBeLessThan(1e-6);
  expect(relativeError(d0!, times(turned(da), square(1)))).toBeLessThan(1e-6);
});

it("passes a gradient on as it is and adds to it afterwards", async () => {
  const gpu = device();
  using _scope = gpu.scope();
  const { weights, gradients, map } = parameters(1);
  const [w] = weights as [Tensor];
  const x = uploadTensor(gpu, square(1), N, "x");
  using tape = new Tape(gpu, map, addInto);
  const a = multiply(tape, x, w);
  // Two results that are a itself: the second's gradient arrives first and is passed on, the first's is added.
  for (const name of ["first", "second"]) {
    const copy = uploadTensor(gpu, new Float32Array(N * N), N, name);
    addInto(gpu, copy, a);
    tape.record(copy, [], (dy) => tape.pass(a, dy));
    tape.give(copy, () => uploadTensor(gpu, square(name === "first" ? 3 : 4), N, "dy"));
  }
  tape.backward([]);
  const [dw] = await Promise.all(gradients.map((g) => readTensor(gpu, g)));
  const dy = sum(square(3), square(4));
  expect(relativeError(dw!, times(turned(dy), square(1)))).toBeLessThan(1e-6);
});

it("records nothing that leads to no parameter, and gives back what nobody saved", () => {
  const gpu = device();
  using _scope = gpu.scope();
  const { weights, map } = parameters(2);
  const [w0, w1] = weights as [Tensor, Tensor];
  const x = uploadTensor(gpu, square(1), N, "x");
  map.delete(w0);
  using tape = new Tape(gpu, map, addInto);
  const a = multiply(tape, x, w0);
  expect([tape.length, tape.tracks(a)]).toEqual([0, false]);
  const b = multiply(tape, a, w1); // saves a
  const c = multiply(tape, b, w0); // frozen: saves nothing
  expect([tape.length, tape.tracks(b), tape.tracks(c)]).toEqual([2, true, true]);
  const { live } = gpu.memory;
  tape.release(b);
  expect(live - gpu.memory.live).toBe(b.buffer.size);
  tape.release(a);
  expect(live - gpu.memory.live).toBe(b.buffer.size);
  tape.release(c);
  tape.backward([[c, uploadTensor(gpu, square(2), N, "dy")]]);
  // The gradient that was brought in, too.
  expect(live - gpu.memory.live).toBe(a.buffer.size + b.buffer.size + c.buffer.size);
});

it("runs an operation again instead of keeping its parts: equal bits, and nothing is given back twice", async () => {
  const gpu = device();
  using _scope = gpu.scope();
  const x = uploadTensor(gpu, square(1), N, "x");
  const run = async (again: boolean, apart: boolean) => {
    const { weights, gradients, map } = parameters(3);
    const [w0, w1, w2] = weights as [Tensor, Tensor, Tensor];
    using tape = new Tape(gpu, map, addInto);
    const first = multiply(tape, x, w0);
    const parts = () => {
      const inner = multiply(tape, first, w1);
      const out = multiply(tape, inner, w2);
      tape.release(inner);
      addTo(tape, out, first);
      tape.release(first);
      return out;
    };
    let y: Tensor;
    if (again) {
      y = linear(gpu, linear(gpu, first, w1), w2);
      addInto(gpu, y, first);
      tape.record(y, [first], (dy) => tape.rerun(dy, parts));
      tape.release(first);
      expect(tape.length).toBe(2);
    } else y = parts();
    const last = multiply(tape, y, apart ? w2 : w0);
    tape.backward([[last, uploadTensor(gpu, square(2), N, "dy")]]);
    return Promise.all(gradients.map((g) => readTensor(gpu, g)));
  };
  for (const apart of [false, true]) {
    const [plain, again] = [await run(false, apart), await run(true, apart)];
    expect(plain[1]!.some((v) => v !== 0)).toBe(true);
    expect(again).toEqual(plain);
  }
});

it("gives everything back at its end, also halfway", () => {
  const gpu = device();
  using _scope = gpu.scope();
  const { weights, map } = parameters(1);
  const [w] = weights as [Tensor];
  const x = uploadTensor(gpu, square(1), N, "x");
  const { live } = gpu.memory;
  {
    using tape = new Tape(gpu, map, addInto);
    const a = multiply(tape, x, w);
    multiply(tape, a, w);
    expect(gpu.memory.live).toBeGreaterThan(live);
  }
  expect(gpu.memory.live).toBe(live);
});
