/** @file The library: what `import ... from "rmtrain"` gives. */
/// <reference types="@webgpu/types" preserve="true" />
export { type EvalOptions, type EvalResult, evaluateModel } from "./audit/eval.ts";
export { type ImplicitLoadOptions, ImplicitModel } from "./audit/implicit-model.ts";
export { type PairSummary, PairTally } from "./audit/pair-tally.ts";
export {
  type LoadOptions,
  RewardModel,
  type ScoreOptions,
  type SequenceReward,
  type TracePoint,
} from "./audit/reward-model.ts";
export { type ScoredLine, type ScoreStreamOptions, scoreStream, type UnscoredLine } from "./audit/score.ts";
export { ScoreReport, type ScoreSummary } from "./audit/score-report.ts";
export type { Finding, SetName, Severity } from "./data/checks/finding.ts";
export type { ChatContent, Content, IdContent, Message, RecordContent, TextContent } from "./data/content.ts";
export { type PreferenceRecord, parsePreference, readPreferences } from "./data/preference.ts";
export { type BadRow, ReadingLog, type ReadOptions } from "./data/reading.ts";
export { parseScoreRecord, readScoreLines, type ScoreLine, type ScoreRecord } from "./data/score-record.ts";
export { InputError, RmtrainError } from "./errors.ts";
export {
  DeviceLostError,
  GpuValidationError,
  NoAdapterError,
  OutOfMemoryError,
  ShaderError,
} from "./gpu/errors.ts";
export type { Gpu, OpenOptions } from "./gpu/gpu.ts";
export { type Precision, PrecisionError } from "./gpu/precision.ts";
export { type EngineOptions, openGpu } from "./kernels/open.ts";
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
export { type CheckArguments, type CheckResult, checkData, type SetSummary } from "./train/check.ts";
export type { KeptModel } from "./train/closing.ts";
export { type TrainOptions, trainDefaults } from "./train/options.ts";
export type { TrainReporter } from "./train/reporter.ts";
export { type RunConfig, type RunFile, readRunFile } from "./train/run-file.ts";
export { TrainingInterrupted } from "./train/state/interrupted.ts";
export { type TrainControl, type TrainResult, train } from "./train/train.ts";
