/**
 * @file Has pipelines ready before their first use. WebGPU builds them in parallel; but drivers for CPUs compile only at
 * the first dispatch, one kernel after the other. There each is dispatched once, for nothing, and where that shows that
 * the driver's cache on disk was empty, further devices help to fill it: it is one cache for all.
 */
import { wantedFeatures } from "./adapter.ts";
import { type Gpu, openGpu } from "./gpu.ts";
import { type KernelVariant, type ParamsOf, variantKey } from "./kernel-source.ts";
import { sharesShaders } from "./shader-cache.ts";

/** Called while drivers compile, and not where they have nothing to compile. */
export type WarmUpProgress = (done: number, total: number) => void;

/** A dispatch of nothing that takes longer than this compiled something. */
const compiling = 0.1;
const mostHelpers = 7;

/** What has been made ready, by device. */
const ready = new WeakMap<Gpu, Set<string>>();

/**
 * Builds the pipelines, each once for all calls; nothing is computed. Memory that is taken goes back to the pool.
 * @throws ShaderError naming the kernel and the line
 */
export async function warmUp(
  gpu: Gpu,
  pipelines: readonly KernelVariant[],
  onProgress: WarmUpProgress = () => {},
): Promise<void> {
  const known = ready.get(gpu) ?? new Set();
  ready.set(gpu, known);
  const wanted = new Map(pipelines.map((p) => [variantKey(p.kernel, p.variant), p]));
  const list = [...wanted].flatMap(([key, pipeline]) => (known.has(key) ? [] : [pipeline]));
  if (list.length === 0) return;
  await gpu.build(list);
  if (gpu.facts.software) await compileAll(gpu, list, onProgress);
  for (const key of wanted.keys()) known.add(key);
}

/** Has a CPU's driver compile what WebGPU has built. */
async function compileAll(
  gpu: Gpu,
  list: readonly KernelVariant[],
  onProgress: WarmUpProgress,
): Promise<void> {
  let next = 0;
  let done = 0;
  const work = async (device: Gpu, onCompiled: () => Promise<void>) => {
    for (let entry = list[next++]; entry !== undefined; entry = list[next++]) {
      const began = performance.now();
      dispatchNothing(device, entry);
      await device.finish();
      done++;
      if ((performance.now() - began) / 1e3 > compiling) await onCompiled();
    }
  };
  const helpers: Promise<void>[] = [];
  let cold = false;
  // The last is told of when all can be used.
  const tell = async () => {
    if (done < list.length) onProgress(done, list.length);
  };
  await work(gpu, async () => {
    await tell();
    if (cold) return;
    cold = true;
    const assist = (helper: Gpu) => work(helper, tell);
    for (let n = await helpersFor(gpu); n > 0; n--) helpers.push(help(gpu, assist));
  });
  await Promise.all(helpers);
  if (!cold) return;
  // What helpers compiled is on disk now, and read from there.
  for (const entry of list) dispatchNothing(gpu, entry);
  await gpu.finish();
  onProgress(list.length, list.length);
}

/** All Params 0: no kernel has work, so none reads or writes out of bounds. */
export function dispatchNothing(gpu: Gpu, { kernel, variant }: KernelVariant): void {
  using _scope = gpu.scope();
  const bindings = kernel.bindings.map(({ name }) => ({ buffer: gpu.allocate(256, name) }));
  const params: ParamsOf<typeof kernel> = Object.fromEntries(kernel.params.map(({ name }) => [name, 0]));
  gpu.recorder.dispatch(kernel, { variant, bindings, params, workgroups: 1 });
}

/** As many as other processors. */
async function helpersFor({ facts }: Gpu): Promise<number> {
  if (!sharesShaders(facts.description)) return 0;
  // Named through a variable so that a browser's bundler does not follow it.
  const os = "node:os";
  const { availableParallelism } = (await import(/* @vite-ignore */ os)) as typeof import("node:os");
  return Math.min(mostHelpers, availableParallelism() - 1);
}

/** A device like the other, for as long as it is needed. A helper that can't be had is none. */
async function help({ facts }: Gpu, work: (helper: Gpu) => Promise<void>): Promise<void> {
  const exclude = wantedFeatures.filter((feature) => !facts.features.has(feature));
  try {
    using helper = await openGpu({ exclude, variants: {} });
    await work(helper);
  } catch {
    // The first device builds what is left, and tells what is wrong with it.
  }
}
