/** @file Sequences longer than what the model was trained for. */
import { inEachSet, sideFinding, sidesWhere } from "./input.ts";

/** Possible where positions are computed (RoPE) and --max-length asks for it. */
export const beyondPositions = inEachSet((set, { maxPositions }) => {
  const beyond = sidesWhere(set, ({ ids }) => ids.length > maxPositions);
  return sideFinding(
    "beyond-positions",
    set,
    beyond,
    (count) =>
      `${count} are longer than the ${maxPositions} positions that the model was trained for: lower --max-length`,
  );
});
