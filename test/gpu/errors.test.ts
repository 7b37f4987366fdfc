/** @file Every failure of the device is a typed exception at the next wait, and concerns only the work before it. */
import { expect, it } from "vitest";
import { DeviceLostError, GpuValidationError, NoAdapterError, ShaderError } from "../../src/gpu/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/gpu.ts";
import type { KernelSource } from "../../src/gpu/kernel-source.ts";
import { add, addNumber, download, upload } from "../support/add-number.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();

const broken: KernelSource = {
  ...addNumber,
  name: "broken",
  source: addNumber.source.replace("+= params.number", "+= params.nothing"),
};

async function works(on: Gpu): Promise<void> {
  using _ = on.scope();
  const a = upload(on, [1, 2]);
  add(on, { buffer: a }, 2, 1);
  expect(await download(on, a, 2)).toEqual([2, 3]);
}

it("a shader that does not compile: kernel and line, when built ahead and on first use", async () => {
  const line = addNumber.source.split("\n").findIndex((text) => text.includes("+=")) + 1;
  const where = new RegExp(`Kernel broken does not compile[\\s\\S]*line ${line}: [\\s\\S]*params.nothing`);
  const ahead = await gpu()
    .pipelines.compile(broken, {})
    .catch((error: unknown) => error);
  expect(ahead).toBeInstanceOf(ShaderError);
  expect(String(ahead)).toMatch(where);
  for (let attempt = 0; attempt < 2; attempt++) {
    using _ = gpu().scope();
    const buffer = upload(gpu(), [0]);
    const params = { count: 1, number: 1 };
    gpu().recorder.dispatch(broken, { bindings: [{ buffer }], params, workgroups: 1 });
    const use = await gpu()
      .finish()
      .catch((error: unknown) => error);
    expect(use).toBeInstanceOf(ShaderError);
    expect(String(use)).toMatch(where);
  }
  await works(gpu());
});

it("warm tells of it each time; so it does where the text is right and the bindings are not", async () => {
  const mismatched: KernelSource = {
    ...addNumber,
    name: "mismatched",
    bindings: [{ name: "x", access: "read" }],
  };
  for (const kernel of [broken, mismatched, broken]) {
    const record = () => {
      const bindings = [{ buffer: gpu().allocate(4, "x") }];
      gpu().recorder.dispatch(kernel, { bindings, params: { count: 1, number: 1 }, workgroups: 1 });
    };
    const error = await gpu()
      .warm(record)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ShaderError);
    expect(String(error)).toContain(`Kernel ${kernel.name} does not compile`);
  }
  await works(gpu());
});

it("an unknown choice of a header says what there is", () => {
  const kernel: KernelSource = { ...addNumber, headers: { weight: { f32: "", f16: "" } } };
  expect(() => gpu().pipelines.get(kernel, { headers: { weight: "f8" } })).toThrow(
    'add_number: header "weight" takes f32 | f16, not f8',
  );
});

it("a refused command: GpuValidationError at the next wait, nothing of it later", async () => {
  using _ = gpu().scope();
  const a = upload(gpu(), [1]);
  gpu().recorder.copy(a, 0, a.raw, 2, 4);
  await expect(gpu().finish()).rejects.toThrow(GpuValidationError);
  await works(gpu());
  await gpu().finish();
});

it("a binding outside of its buffer: the kernel's name in the message, later work unharmed", async () => {
  using _ = gpu().scope();
  const a = upload(gpu(), [1]);
  add(gpu(), { buffer: a, offset: 4096, size: 16 }, 1, 1);
  await expect(gpu().finish()).rejects.toThrow(/add_number/);
  await works(gpu());
});

it("a message names a buffer by its present owner, also where it came from the pool", async () => {
  using scope = gpu().scope();
  const first = gpu().allocate(16, "first owner");
  scope.release(first);
  const buffer = gpu().allocate(16, "present owner");
  expect(buffer).toBe(first);
  gpu().write(buffer, 0, new Uint8Array(buffer.size + 4));
  await expect(gpu().finish()).rejects.toThrow("present owner");
});

it("an error is not lost when the wait is a read or a measurement", async () => {
  using _ = gpu().scope();
  const a = upload(gpu(), [1]);
  gpu().recorder.copy(a, 0, a.raw, 2, 4);
  await expect(download(gpu(), a, 1)).rejects.toThrow(GpuValidationError);
  gpu().recorder.copy(a, 0, a.raw, 2, 4);
  await expect(gpu().time(() => {})).rejects.toThrow(GpuValidationError);
  await works(gpu());
});

it("a lost device: DeviceLostError at every later wait", async () => {
  using own = await openGpu();
  const a = own.allocatePersistent(16, "a");
  own.write(a, 0, Float32Array.of(1));
  const pending = own.read(a, 0, 4);
  own.device.destroy();
  await expect(pending).rejects.toThrow(DeviceLostError);
  await expect(own.finish()).rejects.toThrow(DeviceLostError);
  await expect(own.read(a, 0, 4)).rejects.toThrow(DeviceLostError);
  await expect(own.read(a, 0, 4)).rejects.toThrow(DeviceLostError);
  const use = () => add(own, { buffer: a }, 1, 1);
  await expect(own.time(use)).rejects.toThrow(DeviceLostError);
  await expect(own.warm(use)).rejects.toThrow(DeviceLostError);
});

it("closing twice is fine, and waiting after it is an error, not a hang", async () => {
  const own = await openGpu();
  own.close();
  own.close();
  await expect(own.finish()).rejects.toThrow("closed");
});

it("the null backend has an adapter of its own in Node", async () => {
  using own = await openGpu({ backend: "null" });
  expect(own.facts.limits.maxBinding).toBeGreaterThanOrEqual(2 ** 27);
  expect(new NoAdapterError("x").exitCode).toBe(1);
});
