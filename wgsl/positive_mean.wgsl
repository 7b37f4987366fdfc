// z = max(0, sum of all rewards / total), added up over several calls: the point of reference of KTO, whose rewards are
// those of mismatched rows (a prompt with the reply to another one).
//
// Shapes: rewards [n vec4s], the value in .x; z [1 vec4]. The first call writes, the others add, the last one divides and
// cuts at 0; a sum that is not finite stays so. Layout: one invocation. Accumulation: f32, ascending.
// Source: Ethayarajh et al. 2024, arXiv 2402.01306, section 4.1 (the estimate of z_0).
//#include finite
struct Params {
  rows: u32,
  first: u32,
  last: u32,
  total: f32,
}
@group(0) @binding(0) var<storage, read> rewards: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> z: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  var sum = 0.0;
  if (params.first == 0u) { sum = z[0].x; }
  for (var i = 0u; i < params.rows; i++) { sum += rewards[i].x; }
  if (params.last != 0u) {
    sum /= params.total;
    if (!not_finite(sum)) { sum = max(sum, 0.0); }
  }
  z[0] = vec4<f32>(sum, 0.0, 0.0, 0.0);
}
