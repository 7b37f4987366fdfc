/** @file What is aimed at on a GPU, beside what was measured. */

import type { Ceilings } from "../../src/kernels/ceilings.ts";
import { tokenCounts } from "../peers/pairs.ts";
import type { PeerCase } from "../peers/peer-case.ts";
import type { Row } from "../peers/table.ts";
import { names } from "./contestants.ts";

interface Measured {
  readonly definition: PeerCase;
  readonly row: Row;
}

/** Ours as a share of the other's rate. */
interface Share {
  readonly what: string;
  readonly share: number;
  /** undefined: none is set. */
  readonly target: number | undefined;
}

const seconds = (row: Row, name: string) =>
  row.cells.find(({ contestant }) => contestant === name)?.standing.median ?? Number.NaN;

/** Ours, with Dawn's checks and without, beside another's seconds. */
const bothAgainst = (row: Row, other: number, target: number): Share[] =>
  [names.ours, names.unchecked].map((name) => ({
    what: `${row.name}: ${name}`,
    share: other / seconds(row, name),
    target,
  }));

const few = 16;

function sharesOf({ definition, row }: Measured, ceilings: Ceilings): Share[] {
  const { operation, sizes, bytes = 0, pairs = [] } = definition;
  switch (operation) {
    case "linear": {
      // Few rows: the weights are read once, and memory decides.
      const target = (sizes.rows ?? 0) < few ? undefined : 0.6;
      const [ceiling] = bothAgainst(row, row.flops / ceilings.flopsPerSecond, 0);
      return [
        ...(ceiling ? [{ ...ceiling, what: `${ceiling.what}, of the fma ceiling`, target: undefined }] : []),
        ...bothAgainst(row, seconds(row, names.torch), target ?? 0).map((share) => ({ ...share, target })),
        {
          what: `${row.name}: ${names.ours16} against ${names.torch16}`,
          share: seconds(row, names.torch16) / seconds(row, names.ours16),
          target: target === undefined ? undefined : 0.35,
        },
      ];
    }
    case "attention":
    case "attention_gradient":
      return bothAgainst(row, seconds(row, names.torch), 0.4);
    case "training_step": {
      const perSecond = (name: string) => (tokenCounts(pairs).real / seconds(row, name)).toFixed(0);
      const share = (ours: string, other: string): Share => ({
        what: `${row.name}, tokens/s: ${ours} ${perSecond(ours)}, ${other} ${perSecond(other)}`,
        share: seconds(row, other) / seconds(row, ours),
        target: undefined,
      });
      return [
        share(names.ours, names.torch),
        share(names.unchecked, names.torch),
        share(names.ours16, names.torch16),
      ];
    }
    default:
      return bothAgainst(row, bytes / ceilings.bytesPerSecond, 0.8).map((share) => ({
        ...share,
        what: `${share.what}, of the copy`,
      }));
  }
}

/** @param judged whether to say which targets are reached: small sizes show nothing of that */
export function targetsTable(measured: readonly Measured[], ceilings: Ceilings, judged: boolean): string {
  const lines = ["| ours as a share of PyTorch, or of a ceiling | share | target | |", "|---|---:|---:|---|"];
  for (const one of measured) {
    for (const { what, share, target } of sharesOf(one, ceilings)) {
      const reached = target === undefined || !judged ? "" : share >= target ? "reached" : "missed";
      const cells = Number.isNaN(share)
        ? ["not measured", percent(target), ""]
        : [percent(share), percent(target), reached];
      lines.push(`| ${[what, ...cells].join(" | ")} |`);
    }
  }
  return lines.join("\n");
}

const percent = (share: number | undefined) =>
  share === undefined ? "none" : `${(100 * share).toFixed(0)} %`;
