// Rows of a table by id: y[t] = table[ids[t]], or y[t] += table[ids[t]].
//
// Shapes: table [V, H] (f32, f16 or bf16), bound as a window of `count` rows from row `first` on; ids [T] (i32, every
// fourth word); y [T, H] f32. Layout: one invocation per vec4 of y. Rows whose id lies in another window are left
// alone. The table's padding columns are zeros, and so y's become zeros.
//#include grid
//#header weight
struct Params {
  rows: u32,
  y_stride4: u32,
  table_stride4: u32,
  first: u32,
  count: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> table: array<W4>;
@group(0) @binding(1) var<storage, read> ids: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.y_stride4) { return; }
  let row = index / params.y_stride4;
  let col = index % params.y_stride4;
  let id = u32(ids[row].x) - params.first;
  if (id >= params.count) { return; }
  let value = widen(table[id * params.table_stride4 + col]);
  if (params.accumulate != 0u) {
    y[index] = y[index] + value;
  } else {
    y[index] = value;
  }
}
