// The CRINGE penalty of each token that should not have been written: against a word drawn from the model's own best.
//
// s* = the logit of a word drawn from the softmax of the k largest logits, the token itself left out
// penalty = -log(exp(s*) / (exp(s*) + exp(s))) = softplus(s - s*);  slope = d penalty / d s = sigmoid(s - s*)
//
// Shapes: lists [rows, 16, keep] pairs (top_words, keep = k + 1); targets [rows] (i32), logps, lse [rows] (f32), each every
// fourth word: s = logp + lse; keys [rows] vec4s, the fourth word unused; penalties [rows] (f32, every fourth word);
// drawn [rows] vec4s of words (slope's bits, the word's index, 0, 0). Layout: one lane per row. The draw is u = philox(row's key) / 2^32 of the sum of exp(logit - largest),
// which is summed in falling order of the logits. A vocabulary of one word has no other: penalty 0.
// Source: Adolphs et al. 2022, arXiv 2211.05826, eq. 3 and 4.
//#include grid
//#include finite
//#include philox
struct Params {
  rows: u32,
  keep: u32,
  key0: u32,
  key1: u32,
  rounds: u32,
  lanes: u32,
  // Of the logarithm's series.
  terms: u32,
}
@group(0) @binding(0) var<storage, read> lists: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read> targets: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> logps: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> lse: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> penalties: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> drawn: array<vec4<u32>>;
@group(0) @binding(7) var<uniform> params: Params;

override WG: u32 = 64;
const NONE = 0xffffffffu;
const HIGHEST = 0x1.fffffep+127f;

// log(1 + e) for e in [0, 1], exact for small e too: with s = e / (2 + e), 2 (s + s^3 / 3 + s^5 / 5 + ...).
fn log_one_plus(e: f32, terms: u32) -> f32 {
  let s = e / (2.0 + e);
  var series = 0.0;
  for (var k = 2u * terms - 1u; k > 1u; k -= 2u) { series = fma(series, s * s, 1.0 / f32(k)); }
  return 2.0 * s * fma(series, s * s, 1.0);
}

struct Word {
  logit: f32,
  index: u32,
}

// The best word of a row that comes after `last`: a smaller logit, or the same one and a larger index.
fn next_word(begin: u32, places: u32, last: Word, skip: u32) -> Word {
  var best = Word(-HIGHEST, NONE);
  for (var i = begin; i < begin + places; i++) {
    let logit = bitcast<f32>(lists[i].x);
    let index = lists[i].y;
    let follows = logit < last.logit || (logit == last.logit && index > last.index);
    let better = logit > best.logit || (logit == best.logit && index < best.index);
    if (index != NONE && index != skip && follows && better) { best = Word(logit, index); }
  }
  return best;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * WG + lane;
  if (row >= params.rows) { return; }
  let places = params.lanes * params.keep;
  let begin = row * places;
  let own = u32(targets[row].x);
  // Larger than any logit, so that the first word follows it.
  let before = Word(HIGHEST, 0u);
  let first = next_word(begin, places, before, own);
  var total = 0.0;
  var word = first;
  for (var i = 1u; i < params.keep && word.index != NONE; i++) {
    total += exp(word.logit - first.logit);
    word = next_word(begin, places, word, own);
  }
  let random = philox(vec4<u32>(keys[row].xyz, 0u), vec2<u32>(params.key0, params.key1), params.rounds).x;
  let draw = (f32(random) * 0x1p-32f) * total;
  var chosen = first;
  var sum = 0.0;
  word = first;
  for (var i = 1u; i < params.keep && word.index != NONE; i++) {
    chosen = word;
    sum += exp(word.logit - first.logit);
    if (sum > draw) { break; }
    word = next_word(begin, places, word, own);
  }
  let logit = logps[row].x + lse[row].x;
  let difference = logit - chosen.logit;
  let e = exp(-abs(difference));
  var penalty = max(difference, 0.0) + log_one_plus(e, params.terms);
  var slope = select(e, 1.0, difference > 0.0) / (1.0 + e);
  if (chosen.index == NONE) {
    penalty = 0.0;
    slope = 0.0;
  }
  if (not_finite(logit)) {
    penalty = logit;
    slope = logit;
  }
  penalties[row] = vec4<f32>(penalty, 0.0, 0.0, 0.0);
  drawn[row] = vec4<u32>(bitcast<u32>(slope), chosen.index, 0u, 0u);
}
