// What the kernels of the ceiling in operations per second share: s = fma(s, a, b), again and again, in chains of vec4s that
// don't depend on each other; a is just below 1 and b small, so that values stay finite. y [count] vec4s is what is left.
struct Params {
  count: u32,
  steps: u32,
  a: f32,
  b: f32,
}
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> params: Params;

fn four(s: vec4<f32>, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return fma(fma(fma(fma(s, a, b), a, b), a, b), a, b);
}
