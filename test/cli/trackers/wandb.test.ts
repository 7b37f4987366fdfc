/** @file `--report-to wandb` with their own client against a server on this machine: what arrives, and what may fail. */
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { Tracker } from "../../../src/cli/trackers/tracker.ts";
import { InputError } from "../../../src/errors.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { idPairs, jsonl, metricsOf } from "../../train/records.ts";
import { finished, spawnRmtrain } from "../run-rmtrain.ts";

interface Request {
  readonly url: string;
  readonly body: string;
}

let server: Server;
let url: string;
let requests: Request[] = [];
/** What the server answers with; 200 is what theirs does. */
let status = 200;

beforeAll(async () => {
  const bucket = { id: "b", name: "run1", displayName: "n", project: { name: "p", entity: { name: "me" } } };
  const data = { viewer: { entity: "me" }, upsertBucket: { bucket, inserted: true } };
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      requests.push({ url: request.url ?? "", body });
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(request.url === "/graphql" ? { data } : {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  requests = [];
  status = 200;
});

/** A short run that reports; its standard output and error, and its folder. */
async function reported() {
  const out = join(temporaryFolder(), "my-run");
  const model = await tinyModel({ family: "llama" });
  const data = jsonl(idPairs(16));
  const flags = ["--data", data, "--model", model, "--out", out, "--max-steps", "3", "--log-every", "1"];
  const env = { WANDB_API_KEY: "k".repeat(40), WANDB_BASE_URL: url };
  const child = spawnRmtrain([...flags, "--json", "--report-to", "wandb"], env);
  child.stdin.end();
  return { folder: out, ...(await finished(child)) };
}

it("sends the run's options and every line of metrics, under Hugging Face's names; stdout stays JSON", async () => {
  const { code, out, err, folder } = await reported();
  expect(err).not.toMatch(/no more reports/);
  expect(code).toBe(0);
  expect(() => JSON.parse(out)).not.toThrow();
  expect(err).toMatch(/^wandb: http:\/\/127\.0\.0\.1:\d+\/me\/rmtrain\/runs\/\w+$/m);
  const created = requests.find(({ body }) => body.includes("mutation UpsertBucket"));
  const { variables } = JSON.parse(created?.body ?? "{}");
  expect(variables).toMatchObject({ project: "rmtrain", displayName: "my-run" });
  expect(JSON.parse(variables.config)).toMatchObject({ max_steps: 3, objective: "bt", lr: 0.01 });

  const rows = requests
    .filter(({ url }) => url.endsWith("file_stream"))
    .flatMap(({ body }) => JSON.parse(body).files?.["wandb-history.jsonl"]?.content ?? [])
    .map((row: string) => JSON.parse(row));
  expect(rows.map((row) => row._step)).toEqual([1, 2, 3]);
  for (const line of metricsOf(folder)) {
    const row = rows.find(({ _step }) => _step === line.step);
    for (const [name, value] of Object.entries(line)) {
      if (name === "step") continue;
      expect(row[name.startsWith("eval_") ? `eval/${name.slice(5)}` : `train/${name}`], name).toBe(value);
    }
  }
  expect(requests.at(-1)?.body).toMatch(/"complete":true,"exitcode":0/);
});

it("a server that refuses is told once, and the run goes on to its end", async () => {
  status = 401;
  const { code, err, out } = await reported();
  expect(err.match(/wandb: no more reports/g)).toHaveLength(1);
  expect(err).toMatch(/The run goes on; metrics\.jsonl holds every line\./);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ totalSteps: 3 });
});

it("without a key it is refused before any work", () => {
  const { WANDB_API_KEY: key, HOME: home } = process.env;
  try {
    delete process.env.WANDB_API_KEY;
    process.env.HOME = temporaryFolder();
    expect(() => new Tracker("x", () => {})).toThrow(InputError);
    expect(() => new Tracker("x", () => {})).toThrow(/set WANDB_API_KEY/);
  } finally {
    if (key !== undefined) process.env.WANDB_API_KEY = key;
    if (home !== undefined) process.env.HOME = home;
  }
});
