/** @file Times contestants one after the other, in rounds, so that a busy moment strikes all of them alike. */
import type { Gpu } from "../../gpu/gpu.ts";

/** Enough that the upper quartile means something. */
const rounds = { fewest: 5, most: 11, seconds: 0.4 } as const;
/** A timed run repeats short work until it takes about so long, since clocks are coarse. */
const runSeconds = 4e-3;
const mostRepeats = 32;

/** @returns seconds of each, one value for each round */
export async function timeInRounds(
  gpu: Gpu,
  records: ReadonlyMap<string, () => unknown>,
): Promise<Map<string, readonly number[]>> {
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
  const from = performance.now();
  const enough = (round: number) =>
    round >= rounds.most || (round >= rounds.fewest && performance.now() - from > rounds.seconds * 1e3);
  for (let round = 0; !enough(round); round++)
    for (const contestant of contestants) contestant.seconds.push(await once(gpu, contestant));
  return new Map(contestants.map(({ name, seconds }) => [name, seconds]));
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
