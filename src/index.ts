/** @file The library: what `import ... from "rmtrain"` gives. */
/// <reference types="@webgpu/types" preserve="true" />
export { type PairSummary, PairTally } from "./audit/pair-tally.ts";
export {
  type LoadOptions,
  RewardModel,
  type ScoreOptions,
  type SequenceReward,
  type TracePoint,
} from "./audit/reward-model.ts";
export { type ScoredLine, type ScoreStreamOptions, scoreStream } from "./audit/score.ts";
export { ScoreReport, type ScoreSummary } from "./audit/score-report.ts";
export { parseScoreRecord, readScoreRecords, type ScoreRecord } from "./data/score-record.ts";
export { InputError, RmtrainError } from "./errors.ts";
export {
  DeviceLostError,
  GpuValidationError,
  NoAdapterError,
  OutOfMemoryError,
  ShaderError,
} from "./gpu/errors.ts";
export { type Gpu, type OpenOptions, openGpu } from "./gpu/gpu.ts";
export { type ModelConfig, parseConfig } from "./model/config.ts";
export type { InputRecipe } from "./model/recipe.ts";
export {
  type Checkpoint,
  openCheckpoint,
  parseHeader,
  type TensorInfo,
  type TensorSource,
  toFloat32,
  writeSafetensors,
} from "./model/safetensors/index.ts";
export { type TrainOptions, trainDefaults } from "./train/options.ts";
export type { TrainReporter } from "./train/reporter.ts";
export { type TrainResult, train } from "./train/train.ts";
