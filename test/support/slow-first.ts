/** @file The longest files begin first: a worker that begins one at the end leaves the others idle meanwhile. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By their time on two quiet cores without a GPU; from ten seconds down to five. */
const slow = [
  "test/architecture/pipelines.test.ts",
  "test/train/state/kill.test.ts",
  "test/cli/score.test.ts",
  "test/train/whole/train.test.ts",
  "test/cli/equiv.test.ts",
  "test/model/chat/renderer.test.ts",
  "test/readme.test.ts",
  "test/cli/main.test.ts",
  "test/cli/score-memory.test.ts",
  "test/model/gradients/lora.test.ts",
];

const rank = ({ moduleId }: TestSpecification): number => {
  const at = slow.findIndex((name) => moduleId.endsWith(`/${name}`));
  return at < 0 ? slow.length : at;
};

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
