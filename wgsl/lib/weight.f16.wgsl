// Weights stored as f16, two to a u32; widened in registers, so that no device feature is needed.
alias W4 = vec2<u32>;
fn widen(w: W4) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
}
