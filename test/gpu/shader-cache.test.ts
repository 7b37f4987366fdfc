/** @file Where compiled shaders are kept, and that no folder is no failure. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useShaderCache } from "../../src/gpu/shader-cache.ts";

describe.skipIf(process.platform !== "linux")("the shader cache", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rmtrain-cache-"));
    vi.stubEnv("MESA_SHADER_CACHE_DIR", undefined);
    vi.stubEnv("XDG_CACHE_HOME", undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it("lies in the user's cache folder", async () => {
    vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
    await useShaderCache();
    expect(process.env.MESA_SHADER_CACHE_DIR).toBe(join(folder, "cache", "rmtrain", "shaders"));
    expect(existsSync(join(folder, "cache", "rmtrain", "shaders"))).toBe(true);
  });

  it("lies in ~/.cache where nothing else is said", async () => {
    vi.stubEnv("HOME", folder);
    await useShaderCache();
    expect(process.env.MESA_SHADER_CACHE_DIR).toBe(join(folder, ".cache", "rmtrain", "shaders"));
  });

  it("is the user's where one is named", async () => {
    vi.stubEnv("MESA_SHADER_CACHE_DIR", "/somewhere");
    await useShaderCache();
    expect(process.env.MESA_SHADER_CACHE_DIR).toBe("/somewhere");
  });

  it("is left to Mesa where it cannot be made", async () => {
    writeFileSync(join(folder, "file"), "");
    for (const home of [join(folder, "file"), join(folder, "absent"), "/proc/absent"]) {
      vi.stubEnv("HOME", home);
      await useShaderCache();
      expect(process.env.MESA_SHADER_CACHE_DIR, home).toBeUndefined();
    }
  });
});
