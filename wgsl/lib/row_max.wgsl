// The largest value of the caller's row, beside lib/row_sum; NaN may get lost in it.
fn row_max(lane: u32, value: f32) -> f32 {
  partial[lane] = value;
  workgroupBarrier();
  let p = lane - lane % LANES;
  let largest = max(max(max(partial[p], partial[p + 1u]), max(partial[p + 2u], partial[p + 3u])),
    max(max(partial[p + 4u], partial[p + 5u]), max(partial[p + 6u], partial[p + 7u])));
  workgroupBarrier();
  return largest;
}

fn max4(v: vec4<f32>) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}
