// One invocation owns a row and walks it in chunks of 16 columns. On a CPU adapter a load costs the same wherever the
// invocations of a subgroup point, several times a multiplication; a row of one's own needs no sum over invocations, no
// barrier and no workgroup memory. Needs params.rows, cols and stride4.
override WG: u32 = 8;

struct Row {
  // Rows past the last repeat the last one and are not written, so that all invocations stay active.
  has: bool,
  // First vec4.
  base: u32,
}

fn row_of(index: u32) -> Row {
  return Row(index < params.rows, min(index, params.rows - 1u) * params.stride4);
}

fn sum4(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

// Whole chunks of 16 columns in a row; vec4s from 4 * whole_chunks() on are its tail, the last of them ragged.
fn whole_chunks() -> u32 {
  return params.cols / 16u;
}

// Which columns of vec4 `c4` are no padding.
fn inside(c4: u32) -> vec4<bool> {
  return vec4<u32>(4u * c4) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols);
}

// `v` with zeros in the padding.
fn within(v: vec4<f32>, c4: u32) -> vec4<f32> {
  return select(vec4<f32>(0.0), v, inside(c4));
}

// How many of the columns c, c + 4, ... there are, side by side for c = 0 .. 3.
fn column_counts() -> vec4<f32> {
  return floor((vec4<f32>(f32(params.cols)) + vec4<f32>(3.0, 2.0, 1.0, 0.0)) * 0.25);
}
