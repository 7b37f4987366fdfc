// -Σ_k log(exp(r_k) / Σ_{j >= k} exp(r_j)), k from the best reply on: Plackett 1975, Luce 1959; for reward models Zhu et
// al. 2023, arXiv 2301.11270. Equal gains are a tie of m replies: the mean over their m! orders. At each step the
// rest of the tie is one of its subsets A, every one of the same size equally likely, and each member of A is taken next
// equally often, so that the mean is
//
//     Σ over A, not empty, of (log Σ_{A and worse} exp(r) - mean_A r) / (m over |A|),
//
// a sum over 2^m - 1 bit masks; two replies that are tied give the logistic loss of the label 1/2. Ties of more than 16
// are not computed: the loss is NaN (callers refuse them). The first largest term of each sum is exp(0), kept apart for log1p.
const MOST_TIED = 16u;

fn log1p_any(u: f32) -> f32 {
  var value = log(1.0 + u);
  if (u <= 1.0) { value = log1p(u); }
  return value;
}

fn list_loss(begin: u32, end: u32) -> f32 {
  var loss = 0.0;
  for (var head = begin; head < end; head++) {
    let gain = gains[head].x;
    var tied = 0u;
    var worse = 0u;
    var is_first = true;
    for (var j = begin; j < end; j++) {
      let other = gains[j].x;
      if (other == gain) { tied++; }
      if (other < gain) { worse++; }
      if (other == gain && j < head) { is_first = false; }
    }
    if (!is_first || tied + worse == 1u) { continue; }
    if (tied > MOST_TIED) { return bitcast<f32>(0x7fc00000u + worse); }
    for (var mask = 1u; mask < (1u << tied); mask++) { loss += add_subset(begin, end, gain, tied, mask); }
  }
  return loss;
}

// One subset's part of the loss; its gradient is added.
fn add_subset(begin: u32, end: u32, gain: f32, tied: u32, mask: u32) -> f32 {
  let size = countOneBits(mask);
  var ways = 1.0;
  for (var k = 0u; k < size; k++) { ways = ways * f32(tied - k) / f32(k + 1u); }
  // The largest reward of the subset and the worse replies, and how far the subset's mean lies below it.
  var most = -3.4e38;
  var at = begin;
  var seat = 0u;
  for (var j = begin; j < end; j++) {
    let here = member(gains[j].x, gain, mask, seat);
    seat += select(0u, 1u, gains[j].x == gain);
    if (here && rewards[j].x > most) {
      most = rewards[j].x;
      at = j;
    }
  }
  var rest = 0.0;
  var below = 0.0;
  seat = 0u;
  for (var j = begin; j < end; j++) {
    let here = member(gains[j].x, gain, mask, seat);
    let is_tied = gains[j].x == gain;
    seat += select(0u, 1u, is_tied);
    if (here && j != at) { rest += exp(rewards[j].x - most); }
    if (here && is_tied) { below += most - rewards[j].x; }
  }
  seat = 0u;
  for (var j = begin; j < end; j++) {
    let here = member(gains[j].x, gain, mask, seat);
    let is_tied = gains[j].x == gain;
    seat += select(0u, 1u, is_tied);
    if (!here) { continue; }
    let share = exp(rewards[j].x - most) / (1.0 + rest);
    // Alone, a reply is taken with 1 - share left to gain: what the others have, written without cancelling.
    var slope = share;
    if (is_tied) {
      slope = select(share - 1.0 / f32(size), -others(j, at, share, rest), size == 1u);
    }
    gradient[j].x += slope / ways;
  }
  return (below / f32(size) + log1p_any(rest)) / ways;
}

// 1 - share of reply j.
fn others(j: u32, at: u32, share: f32, rest: f32) -> f32 {
  return select(1.0 - share, rest / (1.0 + rest), j == at);
}

// Whether a reply is still there: it is worse, or of the subset. `seat`: tied replies before it.
fn member(its: f32, gain: f32, mask: u32, seat: u32) -> bool {
  return its < gain || (its == gain && ((mask >> seat) & 1u) == 1u);
}
