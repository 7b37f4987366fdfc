// Weights stored as bf16, two to a u32: a bf16 is the upper half of the f32 of the same value.
alias W4 = vec2<u32>;
fn widen(w: W4) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(w.x << 16u, w.x & 0xffff0000u, w.y << 16u, w.y & 0xffff0000u));
}
