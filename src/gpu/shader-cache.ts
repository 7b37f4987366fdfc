/**
 * @file A folder of our own for the shaders that Mesa compiles (on a CPU up to a second each, at their first dispatch),
 * so that every process after the first finds them.
 */
import { cacheFolder } from "./cache-folder.ts";

/** Tells Mesa, before a driver is loaded. The user's own choice stands; where no folder can be made, Mesa chooses. */
export async function useShaderCache(): Promise<void> {
  if (process.platform !== "linux" || process.env.MESA_SHADER_CACHE_DIR !== undefined) return;
  // A read-only home costs time, not results.
  const folder = await cacheFolder("shaders");
  if (folder !== undefined) process.env.MESA_SHADER_CACHE_DIR = folder;
}

/**
 * Whether what one device of this process compiles is found by another: Mesa's drivers keep it on disk, unless they are
 * told not to.
 */
export function sharesShaders(adapterDescription: string): boolean {
  if (!/llvmpipe/i.test(adapterDescription) || typeof process === "undefined") return false;
  return !/^(1|true|yes|y)$/i.test(process.env.MESA_SHADER_CACHE_DISABLE ?? "");
}
