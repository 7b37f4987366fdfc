/** @file All losses, by their names and by other systems' names for them. */
import { apoDown, apoZero } from "./apo.ts";
import { bco } from "./bco.ts";
import { cringe } from "./cringe.ts";
import { discopop } from "./discopop.ts";
import { exo } from "./exo.ts";
import { hinge } from "./hinge.ts";
import { ipo } from "./ipo.ts";
import { kto } from "./kto.ts";
import { lipo } from "./lipo.ts";
import { logistic } from "./logistic.ts";
import { type LossName, lossNames, type PreferenceLoss } from "./loss.ts";
import { nca } from "./nca.ts";
import { nll } from "./nll.ts";
import { plackettLuce } from "./plackett-luce.ts";
import { robust } from "./robust.ts";
import { sppo } from "./sppo.ts";

export const losses: Readonly<Record<LossName, PreferenceLoss>> = {
  logistic,
  robust,
  hinge,
  ipo,
  exo,
  discopop,
  nca,
  bco,
  sppo,
  "apo-zero": apoZero,
  "apo-down": apoDown,
  kto,
  "plackett-luce": plackettLuce,
  lipo,
  nll,
  cringe,
};

/** A loss by its name or an alias; undefined where there is none. */
export function findLoss(name: string): PreferenceLoss | undefined {
  return lossNames
    .map((own) => losses[own])
    .find((loss) => loss.name === name || loss.aliases.includes(name));
}
