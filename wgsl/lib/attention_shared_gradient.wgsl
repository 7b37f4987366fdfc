// What lib/attention_shared loads backward: rows of qkv, or of dy.
fn matrix_at(from_dy: bool, at: vec4<u32>) -> mat4x4<f32> {
  if (from_dy) { return mat4x4<f32>(dy[at.x], dy[at.y], dy[at.z], dy[at.w]); }
  return mat4x4<f32>(qkv[at.x], qkv[at.y], qkv[at.z], qkv[at.w]);
}

fn vector_at(from_dy: bool, at: u32) -> vec4<f32> {
  if (from_dy) { return dy[at]; }
  return qkv[at];
}

// Of four rows (or queries) and one head: their denominators' logarithms, their dy . y.
fn denominators_at(at: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(lse[at.x], lse[at.y], lse[at.z], lse[at.w]);
}

fn means_at(at: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
}
