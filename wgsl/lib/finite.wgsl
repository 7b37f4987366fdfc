// Whether x is NaN or infinite, by its bits: drivers may assume that neither occurs in x != x.
fn not_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u;
}
