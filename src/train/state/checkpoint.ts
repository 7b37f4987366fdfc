/**
 * @file A training state on disk: out/checkpoint-N/ with state.safetensors (head, Adam's moments, best head) and
 * trainer_state.json (all the rest). The folder is whole or absent, and N steps lead to the same bytes in every run.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../errors.ts";
import { createFolder, writeFileAtomic } from "../../model/atomic-file.ts";
import { headName } from "../../model/reward-head.ts";
import {
  openCheckpoint,
  type TensorSource,
  toFloat32,
  writeSafetensors,
} from "../../model/safetensors/index.ts";
import type { HeadState } from "../head-trainer.ts";
import { type Identity, identitySchema } from "./identity.ts";
import type { Progress } from "./progress.ts";

export const stateFile = "trainer_state.json";
const tensorFile = "state.safetensors";
const format = "rmtrain-state/1";

/** What a run is resumed from. */
export interface TrainingState {
  readonly state: HeadState;
  readonly progress: Progress;
  /** Steps and place in the data as a reader of the file wants them; `progress.step` says it all. */
  readonly place: Place;
  /** Length of metrics.jsonl when the state was saved, in bytes. */
  readonly metricsBytes: number;
  /** What a run that goes on must have in common with the one that saved. */
  readonly identity: Identity;
}

export interface Place {
  readonly totalSteps: number;
  /** Passes over the pairs that are complete, and pairs of the next one that steps have used. */
  readonly epoch: number;
  readonly pairsOfEpoch: number;
}

// An accuracy is NaN where no pair has a right answer; JSON knows no NaN.
const accuracy = z.number().nullable();
const metrics = z.object({
  loss: z.number(),
  accuracy: z.number(),
  margin: z.number(),
  min_reward: z.number(),
  mean_reward: z.number(),
  max_reward: z.number(),
});
const stored = z.object({
  format: z.literal(format),
  step: z.int().min(0),
  total_steps: z.int().min(0),
  epoch: z.int().min(0),
  pairs_of_epoch: z.int().min(0),
  num_tokens: z.int().min(0),
  best: z.object({ step: z.int().min(0), eval_accuracy: accuracy, eval_loss: z.number() }).nullable(),
  evaluations_without_better: z.int().min(0),
  pending: z.array(
    z.object({
      batches: z.array(z.object({ pairs: z.int(), decided: z.int(), metrics })),
      gradNorm: z.number(),
    }),
  ),
  metrics_bytes: z.int().min(0),
  identity: identitySchema,
  state_sha256: z.string(),
});

/** The tensors' names: torch's for Adam's moments. */
const names = {
  head: headName,
  m: `exp_avg.${headName}`,
  v: `exp_avg_sq.${headName}`,
  best: `best.${headName}`,
} as const;

/**
 * Writes out/checkpoint-N, N being the number of steps, which must not be there yet.
 * @returns its path
 * @throws RmtrainError naming what can't be written; there is no such folder then
 */
export async function writeState(out: string, saved: TrainingState): Promise<string> {
  const { progress, state, place } = saved;
  const { best } = progress;
  const folder = join(out, `checkpoint-${progress.step}`);
  await createFolder(folder, async (dir) => {
    const tensors = join(dir, tensorFile);
    await writeSafetensors(tensors, [
      vector(names.head, state.head),
      vector(names.m, state.m),
      vector(names.v, state.v),
      ...(best === undefined ? [] : [vector(names.best, best.head)]),
    ]);
    const json: z.infer<typeof stored> = {
      format,
      step: progress.step,
      total_steps: place.totalSteps,
      epoch: place.epoch,
      pairs_of_epoch: place.pairsOfEpoch,
      num_tokens: progress.tokens,
      best:
        best === undefined ? null : { step: best.step, eval_accuracy: best.accuracy, eval_loss: best.loss },
      evaluations_without_better: progress.stale,
      pending: progress.pending.map(({ batches, gradNorm }) => ({ batches: [...batches], gradNorm })),
      metrics_bytes: saved.metricsBytes,
      identity: saved.identity,
      state_sha256: await sha256(tensors),
    };
    await writeFileAtomic(join(dir, stateFile), `${JSON.stringify(json, null, 2)}\n`);
  });
  return folder;
}

/** @throws InputError naming the file that is missing, damaged, or another version's */
export async function readState(folder: string): Promise<TrainingState> {
  const file = join(folder, stateFile);
  const json = parse(await readFile(file, "utf8").catch(unreadable(file)), file);
  const tensors = join(folder, tensorFile);
  if ((await sha256(tensors).catch(unreadable(tensors))) !== json.state_sha256)
    throw new InputError(`${tensors} is not the file that was saved: it is damaged`);
  await using checkpoint = await openCheckpoint(tensors);
  const read = async (name: string) => {
    const info = checkpoint.tensors.get(name);
    if (info === undefined) throw new InputError(`${tensors}: there is no tensor ${name}`);
    return toFloat32(await checkpoint.read(info), info.dtype);
  };
  const { best } = json;
  return {
    state: { head: await read(names.head), m: await read(names.m), v: await read(names.v) },
    progress: {
      step: json.step,
      tokens: json.num_tokens,
      best:
        best === null
          ? undefined
          : {
              step: best.step,
              accuracy: best.eval_accuracy ?? Number.NaN,
              loss: best.eval_loss,
              head: await read(names.best),
            },
      stale: json.evaluations_without_better,
      pending: json.pending,
    },
    place: { totalSteps: json.total_steps, epoch: json.epoch, pairsOfEpoch: json.pairs_of_epoch },
    metricsBytes: json.metrics_bytes,
    identity: json.identity,
  };
}

function parse(text: string, file: string): z.infer<typeof stored> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `${file} is no JSON: it is damaged (${error instanceof Error ? error.message : error})`,
    );
  }
  const result = stored.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new InputError(`${file}: ${issue?.path.join(".")}: ${issue?.message}; this version reads ${format}`);
}

const unreadable = (file: string) => (error: Error) => {
  throw new InputError(`can't read ${file}: ${error.message}`, { cause: error });
};

async function sha256(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

function vector(name: string, values: Float32Array<ArrayBuffer>): TensorSource {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype: "F32", shape: [1, values.length], data: () => bytes };
}
