// npm marks the bin of an installed package executable; a built checkout has to do it itself.
import { chmodSync } from "node:fs";

chmodSync("dist/cli/main.js", 0o755);
