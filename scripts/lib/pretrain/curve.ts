/** @file The loss curve that a run has left in its metrics.jsonl. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A point of the loss curve: nats per token, of the step's own texts or of the watched ones. */
export interface CurvePoint {
  readonly step: number;
  readonly loss?: number;
  readonly watched?: number;
  /** Tokens that steps have read up to this one, those of several epochs counted again. */
  readonly tokens?: number;
}

/** The lines of a run's metrics.jsonl that tell a loss. */
export async function readCurve(run: string): Promise<CurvePoint[]> {
  const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  return lines.flatMap((line): CurvePoint[] => {
    const { step, loss, eval_loss, num_tokens }: Record<string, number | undefined> = JSON.parse(line);
    if (step === undefined || (loss === undefined && eval_loss === undefined)) return [];
    return [
      {
        step,
        ...(loss === undefined ? {} : { loss }),
        ...(eval_loss === undefined ? {} : { watched: eval_loss }),
        ...(num_tokens === undefined ? {} : { tokens: num_tokens }),
      },
    ];
  });
}

/** About a dozen points: the mean training loss since the last one, beside the watched loss where it was measured. */
export function curveTable(curve: readonly CurvePoint[]): string {
  const watched = curve.filter((point) => point.watched !== undefined);
  let from = 0;
  const rows = watched.map(({ step, watched: held = Number.NaN }) => {
    const losses = curve.flatMap((p) =>
      p.step > from && p.step <= step && p.loss !== undefined ? [p.loss] : [],
    );
    from = step;
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    return `| ${step} | ${losses.length === 0 ? "" : mean.toFixed(3)} | ${held.toFixed(3)} |`;
  });
  return ["| step | training loss since the last row | watched loss |", "|---|---|---|", ...rows].join("\n");
}
