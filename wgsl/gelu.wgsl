// GELU: y = x Phi(x), Phi the normal distribution (FORM 1, "erf"), or its approximation by tanh (FORM 0, "tanh"):
// y = x/2 (1 + tanh(u)) = x / (1 + exp(-2u)), u = sqrt(2/pi) (x + 0.044715 x^3).
//
// Shapes: x, y `count` vec4s each, padding included (zeros give zeros). Layout: an invocation takes vec4s i, i + step, ...
// Phi: lib/normal. Bounded arguments keep exp finite; NaN and Inf come through the factor x.
// Source: Hendrycks & Gimpel 2016, arXiv 1606.08415, section 2.
//#include grid
//#include normal
struct Params {
  count: u32,
  step: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;
override FORM: u32 = 0;

fn gelu_tanh(v: vec4<f32>) -> vec4<f32> {
  let u = 0.7978845608028654 * fma(0.044715 * v * v, v, v);
  return v / (1.0 + exp(min(-2.0 * u, vec4<f32>(80.0))));
}

fn gelu_erf(v: vec4<f32>) -> vec4<f32> {
  return v * normal_distribution(v);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.step) { return; }
  for (var i = index; i < params.count; i += params.step) {
    if (FORM == 1u) {
      y[i] = gelu_erf(x[i]);
    } else {
      y[i] = gelu_tanh(x[i]);
    }
  }
}
