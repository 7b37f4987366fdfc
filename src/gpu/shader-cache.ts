/**
 * @file A folder of our own for the shaders that Mesa compiles (on a CPU up to a second each, at their first dispatch),
 * so that every process after the first finds them.
 */

/** Tells Mesa, before a driver is loaded. The user's own choice stands; where no folder can be made, Mesa chooses. */
export async function useShaderCache(): Promise<void> {
  if (process.platform !== "linux" || process.env.MESA_SHADER_CACHE_DIR !== undefined) return;
  // Named through variables so that a browser's bundler does not follow them.
  const [fs, os, path] = ["node:fs/promises", "node:os", "node:path"] as const;
  const { access, mkdir } = (await import(/* @vite-ignore */ fs)) as typeof import("node:fs/promises");
  const { homedir } = (await import(/* @vite-ignore */ os)) as typeof import("node:os");
  const { dirname, join } = (await import(/* @vite-ignore */ path)) as typeof import("node:path");
  try {
    const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
    // A home that does not exist is none to create; below /proc, Node's recursive mkdir would not return.
    await access(dirname(cache));
    const folder = join(cache, "rmtrain", "shaders");
    await mkdir(folder, { recursive: true });
    process.env.MESA_SHADER_CACHE_DIR = folder;
  } catch {
    // A read-only home costs time, not results.
  }
}
