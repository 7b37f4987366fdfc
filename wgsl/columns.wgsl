// Columns of a matrix times a number, copied or added to columns of another:
//   y[t, first + i] = scale * x[t, source + i], or y[t, first + i] += that, for i < count
//
// Shapes in units of L (lib/lanes), the columns too: x [rows, x_stride], y [rows, y_stride]. Layout: one invocation per
// (row, i). Written, not added: the invocation of the last column also writes zeros behind it, the padding of y.
//#header lanes
//#include grid
struct Params {
  rows: u32,
  count: u32,
  source: u32,
  first: u32,
  x_stride: u32,
  y_stride: u32,
  scale: f32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> x: array<L>;
@group(0) @binding(1) var<storage, read_write> y: array<L>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.count) { return; }
  let row = index / params.count;
  let i = index % params.count;
  let value = params.scale * x[row * params.x_stride + params.source + i];
  let begin = row * params.y_stride;
  let at = begin + params.first + i;
  if (params.accumulate != 0u) {
    y[at] = y[at] + value;
    return;
  }
  y[at] = value;
  if (i + 1u == params.count) {
    for (var c = params.first + params.count; c < params.y_stride; c++) {
      y[begin + c] = L(0.0);
    }
  }
}
