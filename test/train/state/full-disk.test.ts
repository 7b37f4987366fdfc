/** @file A disk that fills up, wherever that happens: the file is named, earlier states stay whole, nothing is left over. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { RmtrainError } from "../../../src/errors.ts";
import { readState } from "../../../src/train/state/checkpoint.ts";
import { savedSteps } from "../../../src/train/state/folder.ts";
import { train } from "../../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl } from "../records.ts";
import { expectSameRun, resumed } from "./runs.ts";

const gpu = useGpu();
const disk = join(temporaryFolder(), "disk");
mkdirSync(disk);
const size = 4 * 2 ** 20;
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", disk]).status === 0;
afterAll(() => {
  if (mounted) spawnSync("umount", ["-l", disk]);
});

it.skipIf(!mounted)("a small tmpfs (needs the right to mount)", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const options = {
    model,
    data: jsonl(idPairs(30)),
    batchSize: 6,
    maxSteps: 6,
    saveEvery: 1,
    logEvery: 1,
    lr: 0.3,
  };
  const undisturbed = join(temporaryFolder(), "out");
  await train(gpu(), { ...options, saveTotalLimit: 100, out: undisturbed });
  const filler = join(disk, "filler");
  const failedAt = new Set<string>();
  for (const free of [0, 4, 8, 16, 28, 40, 64, 96, 128]) {
    const out = join(disk, `out-${free}`);
    writeFileSync(filler, new Uint8Array(size - free * 1024));
    const failed: unknown = await train(gpu(), { ...options, saveTotalLimit: 100, out }).catch(
      (e: unknown) => e,
    );
    expect(failed, `${free} KiB free`).toBeInstanceOf(RmtrainError);
    const { message, exitCode } = failed as RmtrainError;
    expect(message).toMatch(/^can't write .*: ENOSPC/);
    expect(exitCode).toBe(1);
    const [, file = ""] = /can't write (.*?): ENOSPC/.exec(message) ?? [];
    expect(file.startsWith(out), message).toBe(true);
    failedAt.add(/checkpoint|metrics|run\.json|safetensors|json/.exec(file.slice(out.length))?.[0] ?? file);
    const left = existsSync(out) ? readdirSync(out, { recursive: true, encoding: "utf8" }) : [];
    expect(left.filter((name) => /(^|\/)\./.test(name))).toEqual([]);
    for (const step of await savedSteps(out))
      expect((await readState(join(out, `checkpoint-${step}`))).progress.step).toBe(step);
    rmSync(filler);
    await resumed(gpu(), { ...options, saveTotalLimit: 100, out });
    expectSameRun(out, undisturbed);
    rmSync(out, { recursive: true });
  }
  expect([...failedAt]).toEqual(expect.arrayContaining(["checkpoint", "metrics", "safetensors"]));
});
