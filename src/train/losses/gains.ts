/**
 * @file What a list's ranks are worth: ψ in [0, 1], the share of the list's other replies that a reply beats, a tie
 * counting half; and LiPO's gain 2^ψ - 1 of it (Liu et al. 2024, arXiv 2402.01878, where ψ is a reply's mean probability
 * of winning). Larger is better, equal ranks have equal gains.
 */

/**
 * @param ranks of one list, 0 is best, ties share a number
 * @returns gains, in the order of the ranks
 */
export function gains(ranks: readonly number[]): number[] {
  const others = Math.max(1, ranks.length - 1);
  return ranks.map((rank) => {
    const beaten = ranks.reduce((sum, other) => sum + (other > rank ? 1 : other === rank ? 0.5 : 0), -0.5);
    return 2 ** (beaten / others) - 1;
  });
}
