// The gradient of DPO's expected loss in the logits of a policy that is a table, for `rmtrain equiv`:
//
// pi(k|x) = softmax of prompt x's logits;  loss = sum over x, i, j of wins[x, i, j] dpo(i preferred to j) / total
// d loss / d logit[x, k] = G_k - pi(k|x) sum of all G of x,  G_k = d loss / d log pi(k|x)
//
// Shapes: logits, log_reference, gradient [prompts, K] f32, rows of `stride` words, padding written as zeros; wins
// [prompts K, K] f32 likewise: row x K + i, column j. Layout: one invocation per prompt; sums are f32, ascending.
// Source: Rafailov et al. 2023, arXiv 2305.18290, eq. 7; the pair's formula is in lib/dpo.wgsl.
//#include grid
//#include finite
//#include dpo
struct Params {
  prompts: u32,
  candidates: u32,
  stride: u32,
  beta: f32,
  total: f32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> log_reference: array<f32>;
@group(0) @binding(2) var<storage, read> wins: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let prompt = workgroup_index(workgroup, grid) * WG + lane;
  if (prompt >= params.prompts) { return; }
  let n = params.candidates;
  let row = prompt * params.stride;
  var most = logits[row];
  for (var k = 1u; k < n; k++) { most = max(most, logits[row + k]); }
  var sum = 0.0;
  for (var k = 0u; k < n; k++) { sum += exp(logits[row + k] - most); }
  let log_z = most + log(sum);

  var all = 0.0;
  for (var k = 0u; k < n; k++) {
    let mine = vec2<f32>(logits[row + k] - log_z, log_reference[row + k]);
    var g = 0.0;
    for (var other = 0u; other < n; other++) {
      if (other == k) { continue; }
      let theirs = vec2<f32>(logits[row + other] - log_z, log_reference[row + other]);
      let won = dpo(vec4<f32>(mine.x, theirs.x, mine.y, theirs.y), params.beta);
      let lost = dpo(vec4<f32>(theirs.x, mine.x, theirs.y, mine.y), params.beta);
      g = fma(wins[(prompt * n + k) * params.stride + other], won.y, g);
      g = fma(wins[(prompt * n + other) * params.stride + k], lost.z, g);
    }
    gradient[row + k] = g / params.total;
    all += g / params.total;
  }
  for (var k = 0u; k < n; k++) { gradient[row + k] -= exp(logits[row + k] - log_z) * all; }
  for (var k = n; k < params.stride; k++) { gradient[row + k] = 0.0; }
}
