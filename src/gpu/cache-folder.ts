/** @file Our folder in the user's cache, for what is found once and kept for later processes. */

/**
 * A folder below the user's cache, made where it is missing.
 * @returns undefined where none can be made, as with a read-only home, and in browsers
 */
export async function cacheFolder(name: string): Promise<string | undefined> {
  if (typeof process === "undefined" || process.versions?.node === undefined) return undefined;
  // Named through variables so that a browser's bundler does not follow them.
  const [fs, os, path] = ["node:fs/promises", "node:os", "node:path"] as const;
  const { access, mkdir } = (await import(/* @vite-ignore */ fs)) as typeof import("node:fs/promises");
  const { homedir } = (await import(/* @vite-ignore */ os)) as typeof import("node:os");
  const { dirname, join } = (await import(/* @vite-ignore */ path)) as typeof import("node:path");
  try {
    const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
    // A home that does not exist is none to create; below /proc, Node's recursive mkdir would not return.
    await access(dirname(cache));
    const folder = join(cache, "rmtrain", name);
    await mkdir(folder, { recursive: true });
    return folder;
  } catch {
    return undefined;
  }
}
