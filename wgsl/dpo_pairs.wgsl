// DPO's loss and gradient of n pairs, for `rmtrain equiv`: the formula is in lib/dpo.wgsl.
//
// Shapes: log_probs [n vec4s]: log pi_w, log pi_l, log ref_w, log ref_l of each pair; y [n vec4s]: loss, d loss / d log
// pi_w, d loss / d log pi_l, margin. Layout: one invocation per pair; nothing is summed.
// Source: Rafailov et al. 2023, arXiv 2305.18290, eq. 7 and its gradient.
//#include grid
//#include finite
//#include dpo
struct Params {
  pairs: u32,
  beta: f32,
}
@group(0) @binding(0) var<storage, read> log_probs: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.pairs) { return; }
  y[index] = dpo(log_probs[index], params.beta);
}
