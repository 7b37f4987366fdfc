// What the attention kernels share, forward and backward: parameters, scores and weighted sums of four rows. Completed
// by lib/lanes, which says what L is.
struct Params {
  tiles: u32,
  heads: u32,
  // Query heads per key/value head.
  group: u32,
  // L per head.
  lanes: u32,
  qkv_stride: u32,
  y_stride: u32,
  // First L of the keys and of the values in a row.
  keys: u32,
  values: u32,
  scale: f32,
  // Floats per row of lse and delta. Forward: 0 where the log-sum-exp is not kept.
  lse_stride: u32,
}

override WG: u32 = 32;

// acc + weights . values over the four rows that are seen; the others add nothing, not even 0 * NaN.
fn add4(acc: L, weights: vec4<f32>, seen: vec4<bool>, v0: L, v1: L, v2: L, v3: L) -> L {
  let a0 = select(acc, fma(L(weights.x), v0, acc), seen.x);
  let a1 = select(a0, fma(L(weights.y), v1, a0), seen.y);
  let a2 = select(a1, fma(L(weights.z), v2, a1), seen.z);
  return select(a2, fma(L(weights.w), v3, a2), seen.w);
}

fn scores4(q: L, k0: L, k1: L, k2: L, k3: L) -> vec4<f32> {
  return vec4<f32>(dot(q, k0), dot(q, k1), dot(q, k2), dot(q, k3));
}
