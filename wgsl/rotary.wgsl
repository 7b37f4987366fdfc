// Rotary position embedding, in place: (a, b) = (a cos - b sin, b cos + a sin) for the pairs (i, i + D/2) of each head.
// With `turn` -1 the angles are negative: the inverse, and as the rotation is orthogonal, its backward.
//
// Shapes in units of L (lib/lanes): x [rows, stride], heads [first, first + heads * 2 * half) of its columns; cos and
// sin [positions, table_stride], the first `half` of each row used; positions [rows, position_stride]. Layout: one
// invocation per (row, i), which walks the heads with its angle in registers. Columns outside of the heads are not touched.
// Source: Su et al. 2021, arXiv 2104.09864, with the halves paired as in Hugging Face's Llama (rotate_half).
//#header lanes
//#include grid
struct Params {
  rows: u32,
  heads: u32,
  half: u32,
  first: u32,
  stride: u32,
  table_stride: u32,
  position_stride: u32,
  // 1 or -1.
  turn: f32,
}
@group(0) @binding(0) var<storage, read> cosines: array<L>;
@group(0) @binding(1) var<storage, read> sines: array<L>;
@group(0) @binding(2) var<storage, read> positions: array<i32>;
@group(0) @binding(3) var<storage, read_write> x: array<L>;
@group(0) @binding(4) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.half) { return; }
  let row = index / params.half;
  let i = index % params.half;
  let angle = u32(positions[row * params.position_stride]) * params.table_stride + i;
  let c = cosines[angle];
  let s = params.turn * sines[angle];
  for (var head = 0u; head < params.heads; head++) {
    let at = row * params.stride + params.first + head * 2u * params.half + i;
    let a = x[at];
    let b = x[at + params.half];
    x[at] = fma(a, c, -b * s);
    x[at + params.half] = fma(b, c, a * s);
  }
}
