/** @file What scoring takes on the device: no more with more layers, and nothing new after a few batches. */
import { expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";

const device = useGpu();

const items = (count: number, salt: number) =>
  Array.from({ length: count }, (_, i) => ({
    sequences: [Int32Array.from({ length: 1 + ((salt + 5 * i) % 23) }, (_, p) => (salt + i + p) % 40)],
  }));

it("the peak of a pass does not grow with the number of layers", async () => {
  const peak = async (layers: number) => {
    using model = await RewardModel.load(
      device(),
      await tinyModel({ family: "llama", config: { num_hidden_layers: layers } }),
    );
    await model.scoreItems(items(1, 0)); // the rotary tables stay
    const resident = device().memory.live;
    device().resetPeak();
    await model.scoreItems(items(8, 3), { batchTokens: 64 });
    expect(device().memory.live).toBe(resident);
    return device().memory.peak - resident;
  };
  const two = await peak(2);
  expect(two).toBeGreaterThan(0);
  expect(await peak(7)).toBe(two);
});

it("after the first batch no buffer and no bind group is created, whatever the batch holds", async () => {
  using model = await RewardModel.load(device(), await tinyModel({ family: "qwen3" }));
  const created = () => ({
    buffers: device().memory.buffersCreated,
    groups: device().recorder.stats.bindGroupsCreated,
  });
  await model.scoreItems(items(3, 0), { batchTokens: 64 });
  const before = created();
  await model.scoreItems(items(9, 2), { batchTokens: 64 });
  await model.scoreItems(items(30, 4), { batchTokens: 64 });
  expect(created()).toEqual(before);
});
