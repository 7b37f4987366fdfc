/** @file The same engine in a browser: compiled by tsc alone, without a bundler, and run by headless Chromium. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { findChromium } from "../support/chromium.ts";
import type { PageResult } from "./page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "rmtrain-browser-"));
afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));

const html = `<body><script type="module">
  import { run } from "/test/browser/page.js";
  const result = await run().catch((error) => ({ error: String(error?.stack ?? error) }));
  await fetch("/result", { method: "POST", body: JSON.stringify(result) });
</script></body>`;

/** Serves the compiled modules on loopback; resolves `result` with what the page posts. */
function serve(dir: string): { server: Server; result: Promise<string> } {
  let resolve: (body: string) => void = () => {};
  const result = new Promise<string>((done) => {
    resolve = done;
  });
  const server = createServer(async (request: IncomingMessage, response) => {
    if (request.method === "POST") resolve(await text(request));
    else if (request.url?.endsWith(".js")) {
      response.setHeader("content-type", "text/javascript");
      response.write(readFileSync(join(dir, request.url)));
    } else {
      response.setHeader("content-type", "text/html");
      response.write(html);
    }
    response.end();
  });
  return { server, result };
}

const chromium = findChromium();

it.skipIf(chromium === undefined)(
  "the engine computes in headless Chromium (skipped where there is none)",
  async () => {
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const options = ["--noEmit", "false", "--rootDir", root, "--outDir", work];
    await promisify(execFile)(tsc, ["-p", join(root, "test", "browser", "tsconfig.json"), ...options]);
    const { server, result } = serve(work);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const flags = [
      "--headless=new",
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--no-first-run",
      "--disable-quic",
    ];
    const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const browser = spawn(
      chromium ?? "",
      [...flags, ...quiet, `--user-data-dir=${join(work, "profile")}`, url],
      { stdio: "ignore", detached: true },
    );
    try {
      const { errors, ...rest } = JSON.parse(await result) as PageResult;
      expect(rest).not.toHaveProperty("error");
      expect(Object.keys(errors)).toEqual(expect.arrayContaining(["rows", "tile"]));
      for (const error of Object.values(errors)) expect(error).toBeLessThan(1e-5);
    } finally {
      // The whole process group: helper processes that outlive the browser would go on writing to the profile.
      process.kill(-(browser.pid ?? expect.fail("Chromium did not start")), "SIGKILL");
      await once(browser, "exit");
      server.close();
      server.closeAllConnections();
    }
  },
);
