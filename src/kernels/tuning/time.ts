/** @file Times contestants one after the other, in rounds, so that a busy moment strikes all of them alike. */
import type { Gpu } from "../../gpu/gpu.ts";
import { median } from "../bench/statistics.ts";

const rounds = 5;
/** A timed run repeats short work until it takes about so long, since clocks are coarse. */
const runSeconds = 2e-3;
const mostRepeats = 16;

/** @returns median seconds of each */
export async function timeInRounds(
  gpu: Gpu,
  records: ReadonlyMap<string, () => unknown>,
): Promise<Map<string, number>> {
  const contestants = [...records].map(([name, record]) => ({
    name,
    record,
    repeats: 1,
    seconds: [] as number[],
  }));
  for (const contestant of contestants) {
    await once(gpu, contestant);
    const guess = await once(gpu, contestant);
    contestant.repeats = Math.max(1, Math.min(mostRepeats, Math.floor(runSeconds / guess)));
  }
  for (let round = 0; round < rounds; round++)
    for (const contestant of contestants) contestant.seconds.push(await once(gpu, contestant));
  return new Map(contestants.map(({ name, seconds }) => [name, median(seconds)]));
}

async function once(
  gpu: Gpu,
  { record, repeats }: { readonly record: () => unknown; readonly repeats: number },
): Promise<number> {
  const { seconds } = await gpu.time(() => {
    for (let i = 0; i < repeats; i++) {
      using _ = gpu.scope();
      record();
    }
  });
  return seconds / repeats;
}
