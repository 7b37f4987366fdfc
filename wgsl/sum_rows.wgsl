// Sums of listed rows: for each unit u of a table, y[u.row] = sum of x[rows[i]] for i in [u.begin, u.end), or y[u.row] +=
// that. The gradient of looking up rows by id: all rows of dy whose id is u.row.
//
// Shapes: table, vec4s: from `first_unit` on, `units` units (row, begin, end, 0); from `list` on, the rows, four to a vec4.
// x [*, stride4 vec4s]; y [*, stride4 vec4s], bound as a window of `count` rows from row `first` on; units whose row lies in
// another window are left alone. Without `listed`, the rows are i themselves. Layout: one invocation per (unit, vec4 of
// columns). Accumulation: f32, in the order of the list, then the old value.
//#include grid
struct Params {
  units: u32,
  first_unit: u32,
  list: u32,
  listed: u32,
  stride4: u32,
  first: u32,
  count: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> table: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.units * params.stride4) { return; }
  let c = index % params.stride4;
  let unit = table[params.first_unit + index / params.stride4];
  let row = unit.x - params.first;
  if (row >= params.count) { return; }
  var sum = vec4<f32>(0.0);
  for (var i = unit.y; i < unit.z; i++) {
    var source = i;
    if (params.listed != 0u) { source = table[params.list + i / 4u][i % 4u]; }
    sum += x[source * params.stride4 + c];
  }
  let at = row * params.stride4 + c;
  if (params.accumulate != 0u) {
    y[at] = y[at] + sum;
  } else {
    y[at] = sum;
  }
}
