/** @file bin/setup's decisions about the adapter, with apt and the probe replaced: what it installs, and what it says when it can't. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rmtrain-setup-"));
  mkdirSync(join(folder, "apt", "sources.list.d"), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Sources the library under test, then runs `script` with `folder` as $1. */
function bash(script: string): { status: number | null; out: string; err: string } {
  const prelude =
    'set -euo pipefail; step() { echo "setup: $*"; }; . bin/lib/adapter.sh; apt_folder=$1/apt\n';
  const run = spawnSync("bash", ["-c", prelude + script, "bash", folder], { encoding: "utf8" });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

/** `apt` writes its arguments to a file; the probe finds an adapter once that file holds `cure`. */
const fakes = (cure: string): string => `
  log=$1/log; : >"$log"
  apt() { echo "$*" >>"$log"; }
  apt-cache() { echo "  Candidate: $candidate"; }
  can_install() { true; }
  uname() { echo Linux; }
  probe_adapter() { grep -q '${cure}' "$log" && echo fake; }
`;

describe("the adapter", () => {
  it("installs nothing where there is one", () => {
    const run = bash(`${fakes("")} probe_adapter() { echo fake; }; ensure_adapter; cat "$log"`);
    expect(run).toEqual({ status: 0, out: "setup: adapter: fake\n", err: "" });
  });

  it("installs only the loader where a GPU lacks it", () => {
    const run = bash(
      `${fakes("libvulkan1")} has_gpu() { true; }; has_loader() { false; }; ensure_adapter; cat "$log"`,
    );
    expect(run.status).toBe(0);
    expect(run.out).toMatch(/ libvulkan1$/m);
    expect(run.out).not.toContain("mesa-vulkan-drivers");
  });

  it("installs lavapipe where the GPU's driver has no Vulkan", () => {
    const run = bash(
      `${fakes("mesa-vulkan")} candidate=1:25.2.8-0ubuntu1; has_gpu() { true; }; has_loader() { true; }; ensure_adapter; cat "$log"`,
    );
    expect(run.status).toBe(0);
    expect(run.out).toContain("--no-remove --no-install-recommends mesa-vulkan-drivers libvulkan1");
    expect(run.out).not.toContain("backports");
  });

  it("says in two lines what to run where it can't install", () => {
    const run = bash(`${fakes("mesa-vulkan")} can_install() { false; }; ensure_adapter; echo unreachable`);
    expect(run.status).toBe(1);
    expect(run.out).toBe("");
    expect(run.err.trimEnd().split("\n")).toHaveLength(2);
    expect(run.err).toContain("run bin/setup again");
  });

  it("shows apt's reason and fails when the installation fails", () => {
    const run =
      bash(`can_install() { true; }; probe_adapter() { false; }; has_gpu() { false; }; uname() { echo Linux; }
      mesa_candidate() { echo 25.0.7; }; as_root() { echo "E: no space"; return 100; }; ensure_adapter`);
    expect(run.status).toBe(1);
    expect(run.err).toContain("E: no space");
  });
});

describe("Mesa's version", () => {
  it.each(["24.0.0", "25.0.7-2~bpo12+1", "100.1"])("%s is new enough", (version) => {
    expect(bash(`at_least_minimum '${version}'`).status).toBe(0);
  });
  it.each(["22.3.6-1+deb12u2", "23.2.1-1ubuntu3", "(none)", "", "9"])("%j is not", (version) => {
    expect(bash(`at_least_minimum '${version}'`).status).toBe(1);
  });
  it("is read without its epoch", () => {
    expect(bash("apt-cache() { echo '  Candidate: 1:25.2-3'; }; mesa_candidate").out).toBe("25.2-3\n");
  });
});

describe("the machine's own apt sources, for another suite", () => {
  it("keeps mirror, options and keyring of a one-line entry, and leaves other entries out", () => {
    writeFileSync(
      join(folder, "apt", "sources.list"),
      [
        "deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian/ bookworm main contrib",
        "deb https://mirror.example/debian bookworm-updates main",
        "deb-src https://mirror.example/debian bookworm main",
        "# deb https://off.example/debian bookworm main",
      ].join("\n"),
    );
    writeFileSync(
      join(folder, "apt", "sources.list.d", "tool.list"),
      "deb https://tool.example bookworm stable\n",
    );
    expect(bash("list_for_suite bookworm bookworm-backports").out).toBe(
      "deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian/ bookworm-backports main contrib\n",
    );
  });

  it("keeps URIs and keyring of a deb822 stanza, and leaves other stanzas out", () => {
    writeFileSync(
      join(folder, "apt", "sources.list.d", "debian.sources"),
      "Types: deb\n# a comment\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n\n" +
        "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\n",
    );
    expect(bash("stanzas_for_suite bookworm bookworm-backports").out.trimEnd()).toBe(
      "Types: deb\n# a comment\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\nSigned-By: /k.gpg",
    );
  });
});
