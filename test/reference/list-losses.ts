/** @file Losses of one ranked list in float64, as the papers write them. */

/**
 * -log of the Plackett-Luce probability of a ranking, by its definition; ties: the mean over all orders that keep to the
 * ranks, each written out.
 * @param ranks 0 is best
 */
export function plackettLuce(rewards: readonly number[], ranks: readonly number[]): number {
  const orders = ordersOf(
    [...rewards.keys()].sort((a, b) => ranks[a]! - ranks[b]!),
    ranks,
  );
  const losses = orders.map((order) =>
    order.reduce((sum, reply, k) => {
      const left = order.slice(k).map((j) => rewards[j]!);
      const most = Math.max(...left);
      return sum - rewards[reply]! + most + Math.log(left.reduce((z, r) => z + Math.exp(r - most), 0));
    }, 0),
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** All orders of replies in which no worse reply stands before a better one. */
function ordersOf(replies: readonly number[], ranks: readonly number[]): number[][] {
  if (replies.length === 0) return [[]];
  const best = Math.min(...replies.map((reply) => ranks[reply]!));
  return replies
    .filter((reply) => ranks[reply] === best)
    .flatMap((first) =>
      ordersOf(
        replies.filter((reply) => reply !== first),
        ranks,
      ).map((rest) => [first, ...rest]),
    );
}

/**
 * LiPO-λ of scores s and qualities ψ.
 * @param places the rank τ of each reply by score, from 1; without a gradient
 */
export function lipo(scores: readonly number[], psi: readonly number[], places: readonly number[]): number {
  const gain = (i: number) => 2 ** psi[i]! - 1;
  const discount = (i: number) => Math.log(1 + places[i]!);
  let loss = 0;
  for (const i of scores.keys()) {
    for (const j of scores.keys()) {
      if (!(psi[i]! > psi[j]!)) continue;
      const delta = Math.abs(gain(i) - gain(j)) * Math.abs(1 / discount(i) - 1 / discount(j));
      const d = scores[i]! - scores[j]!;
      loss += delta * (d > 0 ? Math.log1p(Math.exp(-d)) : -d + Math.log1p(Math.exp(d)));
    }
  }
  return loss;
}

/** Places by score, from 1; equal scores in the list's order. */
export function placesOf(scores: readonly number[]): number[] {
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  return [...scores.keys()].map((i) => order.indexOf(i) + 1);
}
