// Weights stored as f32, four to a vec4.
alias W4 = vec4<f32>;
fn widen(w: W4) -> vec4<f32> {
  return w;
}
