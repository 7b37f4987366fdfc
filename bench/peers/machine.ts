/** @file The machine and the day, for the head of a table. */
import { availableParallelism, cpus, totalmem } from "node:os";

export function machine(): string {
  const cpu = cpus()[0]?.model.trim() ?? "unknown CPU";
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, ${cpu}, ${availableParallelism()} cores, ${memory} GiB, Node ${process.version}, ${process.platform}`;
}
