/** @file Asks Dawn for an adapter the way the program will: prints its name and exits 0, or exits 1 where there is none. */
import { create } from "webgpu";

// Dawn aborts the process when this is collected before its adapter; the module's scope keeps it.
const gpu = create([]);
const adapter = await gpu.requestAdapter();
if (adapter === null) process.exit(1);
const { vendor, device, description } = adapter.info;
console.log(description || device || vendor || "an adapter without a name");
process.exit(0);
