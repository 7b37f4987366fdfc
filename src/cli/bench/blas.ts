/** @file What the processor's own library makes of a matrix product: NumPy's BLAS or PyTorch's, where python3 has them. */
import { execFile } from "node:child_process";
import { z } from "zod";

export interface ProcessorCeiling {
  readonly library: string;
  readonly flopsPerSecond: number;
}

const answer = z.object({ library: z.string(), flopsPerSecond: z.number().positive() });

/** Best of several products of two 1024 x 1024 matrices of f32, on all cores. */
const script = `
import json, time
n = 1024
def best(product):
    product()
    times = []
    for _ in range(12):
        begin = time.perf_counter()
        product()
        times.append(time.perf_counter() - begin)
    return 2 * n ** 3 / min(times)
try:
    import numpy
    a = numpy.random.rand(n, n).astype("float32")
    try:
        blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    except Exception:
        blas = "its BLAS"
    found = {"library": "NumPy " + numpy.__version__ + ", " + blas, "flopsPerSecond": best(lambda: a @ a)}
except ImportError:
    import torch
    a = torch.rand(n, n)
    found = {"library": "PyTorch " + torch.__version__, "flopsPerSecond": best(lambda: a @ a)}
print(json.dumps(found))
`;

/** Undefined where there is no python3, or none with either library. */
export async function measureProcessor(): Promise<ProcessorCeiling | undefined> {
  const out = await new Promise<string | undefined>((resolve) => {
    const options = { timeout: 30_000, windowsHide: true };
    execFile("python3", ["-c", script], options, (error, stdout) => resolve(error ? undefined : stdout));
  });
  return out === undefined ? undefined : answer.parse(JSON.parse(out));
}
