// AdamW with decoupled decay, in the order of torch.optim.AdamW:
//   w = w * decay;  m = m + (1 - beta1) (g - m);  v = beta2 v + (1 - beta2) g^2;  w = w - rate m / (sqrt(v) / root + eps)
// where g is the gradient times control.factor, decay = 1 - lr * weight_decay (1 for what is not decayed), rate = lr /
// (1 - beta1^step) and root = sqrt(1 - beta2^step), all computed by the host in float64. Nothing is written once
// control.bad_step is set.
//
// Shapes: gradient, w, m, v [count vec4s]. Zero padding stays zero. Layout: one invocation per vec4.
// Source: Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2.
//#include grid
struct Params {
  count: u32,
  decay: f32,
  rate: f32,
  root: f32,
  eps: f32,
  one_minus_beta1: f32,
  beta2: f32,
  one_minus_beta2: f32,
}
struct Control {
  bad_step: u32,
  factor: f32,
}
@group(0) @binding(0) var<storage, read> control: Control;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> w: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = workgroup_index(workgroup, grid) * WG + lane;
  if (i >= params.count || control.bad_step != 0u) { return; }
  let g = gradient[i] * control.factor;
  let mean = fma(vec4<f32>(params.one_minus_beta1), g - m[i], m[i]);
  let square = fma(params.one_minus_beta2 * g, g, params.beta2 * v[i]);
  let decayed = w[i] * params.decay;
  m[i] = mean;
  v[i] = square;
  w[i] = decayed - params.rate * (mean / (sqrt(square) / params.root + params.eps));
}
