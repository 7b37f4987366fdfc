/** @file Options of runs in which more than the head learns: defaults, refusals, and what a resumed run must keep. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { trainableDefaults, trainables, withDefaults } from "../../../src/train/options.ts";
import { readState } from "../../../src/train/state/checkpoint.ts";
import { train } from "../../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { expectRefused, idPairs, jsonl } from "../records.ts";
import { resumed, stoppedAt } from "../state/runs.ts";

const gpu = useGpu();

it("rate and epochs follow what learns, unless they are given", () => {
  const given = { model: "m", data: "d", out: "o" };
  for (const trainable of trainables)
    expect(withDefaults({ ...given, trainable })).toMatchObject({
      trainable,
      ...trainableDefaults[trainable],
    });
  expect(withDefaults(given)).toMatchObject({ trainable: "head", lr: 1e-2, epochs: 20 });
  expect(withDefaults({ ...given, trainable: "lora", lr: 3 })).toMatchObject({
    lr: 3,
    epochs: 1,
  });
});

it.each([
  [{ objective: "dpo", trainable: "lora" }, 1e-5],
  [{ objective: "dpo", trainable: "full" }, 1e-6],
  [{ objective: "dpo", trainable: "full", reward: "tilted" }, 1e-5],
  [{ objective: "lm", trainable: "full" }, 1e-5],
  [{ objective: "dpo" }, 1e-2],
  [{ objective: "dpo", trainable: "full", lr: 0.5 }, 0.5],
] as const)("the rate of %j is %d", (options, lr) => {
  expect(withDefaults({ model: "m", data: "d", out: "o", ...options }).lr).toBe(lr);
});

it.each([
  [{ loraR: 4 }, /--lora-r goes with --trainable lora only, not with --trainable head/],
  [{ loraTargets: ["q_proj"], trainable: "full" }, /--lora-targets goes with --trainable lora only/],
  [{ adapter: "a", trainable: "full" }, /--adapter goes with --trainable lora only/],
  [{ adapter: "a", trainable: "lora", loraR: 4 }, /--lora-r can't be given with --adapter/],
  [{ headLr: 1 }, /--head-lr is for runs in which more than the head learns/],
  [{ trainable: "lora", loraAlpha: 0 }, /loraAlpha is a number above 0, not 0/],
  [{ trainable: "half" }, /trainable is one of head, lora, full, not half/],
] as const)("%j is refused", async (options, message) => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  await expectRefused({ model, data: jsonl(idPairs(8)), ...(options as object) }, message);
});

it("--head-lr: the head's own rate; at 0 it stays as it was", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare", dtype: "F32" });
  const common = {
    model,
    data: jsonl(idPairs(12)),
    trainable: "full",
    evalSplit: 0,
    epochs: 1,
    batchSize: 4,
  } as const;
  const heads = [];
  for (const headLr of [0, 0.01, undefined]) {
    const out = join(temporaryFolder(), "out");
    const states: string[] = [];
    await train(
      gpu(),
      { ...common, lr: 0.001, headLr, initHead: "zeros", out },
      {
        note() {},
        saved: (_, folder) => states.push(folder),
      },
    );
    const { state } = await readState(states.at(-1) ?? expect.fail("no state"));
    heads.push(Math.hypot(...(state.weights.get("score.weight")?.values ?? [])));
  }
  const [frozen = Number.NaN, fast = 0, slow = 0] = heads;
  expect(frozen).toBe(0);
  expect(fast).toBeGreaterThan(3 * slow);
  expect(slow).toBeGreaterThan(0);
});

it("a resumed run with another cut of its steps is refused; --gradient-checkpointing may change", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const out = join(temporaryFolder(), "out");
  const options = {
    model,
    data: jsonl(idPairs(24)),
    trainable: "full",
    batchSize: 8,
    batchTokens: 32,
    maxSteps: 4,
    saveEvery: 1,
    report: false,
    out,
  } as const;
  await stoppedAt(gpu(), options, 2);
  await expect(resumed(gpu(), { ...options, batchTokens: 64 })).rejects.toThrow(
    /steps were computed in micro-batches of at most 32 tokens, now it would be 64: give the --memory-budget and --batch-tokens/,
  );
  const { lastStep } = await resumed(gpu(), { ...options, gradientCheckpointing: true });
  expect(lastStep).toBe(4);
});
