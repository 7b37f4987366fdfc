/** @file Times contestants one after the other, in rounds, so that a busy moment strikes all of them alike. */
import type { Gpu } from "../../gpu/gpu.ts";
import { hostClock } from "../../gpu/host-clock.ts";

/** Enough that the upper quartile means something. */
const rounds = { fewest: 5, most: 11, seconds: 1 } as const;
/** A timed run repeats short work until it takes about so long, since clocks are coarse. */
const runSeconds = 1e-2;
const mostRepeats = 100;

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
  const clock = await driverClock(gpu);
  for (const contestant of contestants) {
    await once(gpu, contestant, clock);
    const guess = await once(gpu, contestant, clock);
    contestant.repeats = Math.max(1, Math.min(mostRepeats, Math.floor(runSeconds / guess)));
  }
  const from = performance.now();
  const enough = (round: number) =>
    round >= rounds.most || (round >= rounds.fewest && performance.now() - from > rounds.seconds * 1e3);
  for (let round = 0; !enough(round); round++)
    for (const contestant of contestants) contestant.seconds.push(await once(gpu, contestant, clock));
  return new Map(contestants.map(({ name, seconds }) => [name, seconds]));
}

/**
 * Seconds that the threads of a CPU adapter's driver were on processors: those of this process without this thread's.
 * Other programs hardly change them, unlike the time of day.
 * @returns undefined on other adapters, and where the system does not tell
 */
async function driverClock(gpu: Gpu): Promise<(() => number) | undefined> {
  const host = await hostClock();
  if (!gpu.facts.software || !host.ownTime) return undefined;
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6 - host.seconds();
  };
}

async function once(
  gpu: Gpu,
  { record, repeats }: { readonly record: () => unknown; readonly repeats: number },
  clock: (() => number) | undefined,
): Promise<number> {
  const work = () => {
    for (let i = 0; i < repeats; i++) {
      using _ = gpu.scope();
      record();
    }
  };
  if (clock === undefined) return (await gpu.time(work)).seconds / repeats;
  await gpu.finish();
  const before = clock();
  work();
  await gpu.finish();
  return (clock() - before) / repeats;
}
