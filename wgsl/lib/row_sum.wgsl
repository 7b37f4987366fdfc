// Eight invocations share a row; a workgroup of 64 holds eight rows. Lane l of a row takes vec4s l, l + 8, ... of it, so
// that loads are coalesced, and the eight partial sums are added in one fixed order, whatever the subgroups are.
const WG = 64u;
const LANES = 8u;
var<workgroup> partial: array<f32, WG>;

// The sum of `value` over the lanes of the caller's row, the same bits in each of them. In uniform control flow only.
fn row_sum(lane: u32, value: f32) -> f32 {
  partial[lane] = value;
  workgroupBarrier();
  let p = lane - lane % LANES;
  let sum = ((partial[p] + partial[p + 1u]) + (partial[p + 2u] + partial[p + 3u]))
    + ((partial[p + 4u] + partial[p + 5u]) + (partial[p + 6u] + partial[p + 7u]));
  workgroupBarrier();
  return sum;
}

fn sum4(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

// `v` with zeros in the columns from `cols` on, where v stands at vec4 `c4` of its row.
fn within(v: vec4<f32>, c4: u32, cols: u32) -> vec4<f32> {
  return select(vec4<f32>(0.0), v, vec4<u32>(4u * c4) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(cols));
}
