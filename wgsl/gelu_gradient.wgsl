// The gradient of GELU: dx = dy (Phi(x) + x phi(x)), phi the normal density (FORM 1, "erf"); for the approximation by tanh
// (FORM 0, "tanh"), y = x s with s = sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3):
//   dx = dy (s + x s (1 - s) 2 du/dx),  du/dx = sqrt(2/pi) (1 + 3 * 0.044715 x^2)
//
// Shapes: dy, x, dx `count` vec4s each, padding included (zeros of dy give zeros). Layout: an invocation takes vec4s i, i + step, ...
// The argument of the bell (s (1 - s), phi) is bounded where the bell is 0 in f32, so that no power overflows; NaN and Inf
// come through the factor x.
// Source: the derivative of Hendrycks & Gimpel 2016, arXiv 1606.08415, section 2.
//#include grid
//#include normal
struct Params {
  count: u32,
  step: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;
override FORM: u32 = 0;

fn slope_tanh(v: vec4<f32>) -> vec4<f32> {
  let b = clamp(v, vec4<f32>(-20.0), vec4<f32>(20.0));
  let u = 0.7978845608028654 * fma(0.044715 * b * b, b, b);
  let e = exp(min(-2.0 * u, vec4<f32>(80.0)));
  let s = 1.0 / (1.0 + e);
  let bell = s * (e * s) * (1.5957691216057308 * fma(0.134145 * b, b, vec4<f32>(1.0)));
  return fma(v, bell, s);
}

fn slope_erf(v: vec4<f32>) -> vec4<f32> {
  let b = clamp(v, vec4<f32>(-13.0), vec4<f32>(13.0));
  return fma(v, 0.3989422804014327 * exp(-0.5 * b * b), normal_distribution(v));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.step) { return; }
  for (var i = index; i < params.count; i += params.step) {
    if (FORM == 1u) {
      dx[i] = dy[i] * slope_erf(x[i]);
    } else {
      dx[i] = dy[i] * slope_tanh(x[i]);
    }
  }
}
