/** @file Where a Chromium is, for tests that need one. */
import { execFileSync } from "node:child_process";

/** The command of a Chromium on the PATH, or none. */
export function findChromium(): string | undefined {
  return ["chromium", "chromium-browser", "google-chrome"].find((name) => {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}

/** The path of a command on the PATH. */
export function whichCommand(name: string): string {
  return execFileSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).trim();
}
