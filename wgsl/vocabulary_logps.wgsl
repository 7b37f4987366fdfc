// Each row's log-probability of its target and its log-sum-exp, from the running sums of a whole vocabulary:
//
// lse = m + log(sum_l s_l exp(m_l - m)), m = max_l m_l;  logp = (target's logit - m) - log(...)
//
// Shapes: sums [rows, 16 vec4s] (lib/vocabulary_sums); logps, lse [rows] (f32, every fourth word). Layout: one lane per
// row. Accumulation: f32, the sixteen lanes' sums in order. Where a logit was NaN or infinite, both results are not finite.
//#include grid
//#include finite
//#include vocabulary_sums
struct Params {
  rows: u32,
  // 16
  lanes: u32,
}
@group(0) @binding(0) var<storage, read> sums: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> logps: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> lse: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * WG + lane;
  if (row >= params.rows) { return; }
  let begin = row * LANES;
  // A bound that the driver cannot see through, so that it does not unroll the loops.
  let end = begin + params.lanes;
  var largest = LOWEST;
  for (var i = begin; i < end; i++) { largest = max(largest, sums[i].x); }
  var total = 0.0;
  var target_logit = 0.0;
  var extent = 0.0;
  for (var i = begin; i < end; i++) {
    let state = sums[i];
    total = fma(state.y, rescale(state.x, largest), total);
    target_logit += state.z;
    extent += state.w;
  }
  let log_total = log(total);
  var logp = (target_logit - largest) - log_total;
  var sum = largest + log_total;
  if (not_finite(extent)) {
    logp = extent;
    sum = extent;
  }
  logps[row] = vec4<f32>(logp, 0.0, 0.0, 0.0);
  lse[row] = vec4<f32>(sum, 0.0, 0.0, 0.0);
}
