/** @file What is aimed at: ours beside the fastest of the libraries on WebGPU, in each case. */
import type { Operation } from "./peer-case.ts";
import type { Row } from "./table.ts";

/** Times as fast as the fastest. */
const targets: Partial<Record<Operation, number>> = { linear: 3, layer_norm: 3, softmax: 2, block: 3 };

const onWebGpu = /ort webgpu|jax|tfjs/;
const onnxruntime = /ort webgpu/;

export interface Contested {
  readonly operation: Operation;
  readonly row: Row;
}

/**
 * One line a case. onnxruntime's times include its transfers, so it is also compared with ours including ours; the other
 * libraries leave their data on the device.
 */
export function targetsTable(contested: readonly Contested[]): string {
  const lines = [
    "| case | fastest on WebGPU | its ms | ours | times as fast | target | | onnxruntime with transfers over ours with transfers |",
    "|---|---|---:|---:|---:|---:|---|---:|",
  ];
  for (const { operation, row } of contested) {
    const { cells, name } = row;
    const seconds = (of: RegExp) =>
      cells
        .filter(({ contestant }) => of.test(contestant))
        .map(({ contestant, standing }) => ({ contestant, median: standing.median }))
        .sort((a, b) => a.median - b.median)[0];
    const [ours, best] = [seconds(/^rmtrain$/), seconds(onWebGpu)];
    if (ours === undefined || best === undefined) continue;
    const [ort, moved] = [seconds(onnxruntime), seconds(/transfers$/)];
    const times = best.median / ours.median;
    const target = targets[operation];
    const cellsOf = [
      ...[name, best.contestant, ms(best.median), ms(ours.median), times.toFixed(2), target ?? "none"],
      target === undefined ? "" : times >= target ? "reached" : "missed",
      ort && moved ? (ort.median / moved.median).toFixed(2) : "",
    ];
    lines.push(`| ${cellsOf.join(" | ")} |`);
  }
  return lines.join("\n");
}

const ms = (seconds: number) => (1e3 * seconds).toFixed(1);
