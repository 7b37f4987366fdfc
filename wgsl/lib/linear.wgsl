// What every variant of `linear` shares: its parameters, its bindings, the order of its sums, and how an output is
// finished. A variant only decides which invocation computes what (lib/tile, lib/broadcast, lib/shared, which know
// neither: a result is `rows` rows of vec4s, "groups" of four columns, and its sums take four products a step).
//
// y = (y_old) + (x W^T + bias). Shapes: x [T, K] f32; w [N, K] as stored, bound as a window of `outs` rows from row
// `first` on; bias [N]; y [T, N]. Rows of x and w are padded with zeros to whole vec4s, so k runs over `k4` vec4s.
// Accumulation: one f32 accumulator per output, from 0, k ascending, fma(x, w, acc); then + bias; then y_old + that.
// That order is `add_products` (lib/products), `bias_of` and `finish`, there and nowhere else: so all variants give
// equal bits.
struct Params {
  rows: u32,
  outs: u32,
  k4: u32,
  x_stride4: u32,
  w_stride4: u32,
  y_stride4: u32,
  first4: u32,
  has_bias: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<W4>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

// Vec4s of outputs in this window.
fn groups() -> u32 {
  return (params.outs + 3u) / 4u;
}

// Vec4s of k.
fn steps() -> u32 {
  return params.k4;
}

// Where a row of x begins. Rows past the last repeat it; what they give is not stored.
fn input_row(row: u32) -> u32 {
  return min(row, params.rows - 1u) * params.x_stride4;
}

fn input_at(index: u32) -> vec4<f32> {
  return x[index];
}

// Where four columns of W^T begin; k is what lies side by side.
alias Columns = vec4<u32>;
const COLUMNS_K_FIRST = true;

// The weight rows of outputs 4*group .. 4*group+3. Those past the last repeat it, and are not stored.
fn columns_of(group: u32) -> Columns {
  let out = 4u * group + vec4<u32>(0u, 1u, 2u, 3u);
  return min(out, vec4<u32>(params.outs - 1u)) * params.w_stride4;
}

// Of four weight rows, the elements 4k .. 4k+3: one column of four outputs for each k.
fn columns_at(rows: Columns, k: u32) -> mat4x4<f32> {
  return transpose(mat4x4<f32>(widen(w[rows.x + k]), widen(w[rows.y + k]), widen(w[rows.z + k]), widen(w[rows.w + k])));
}

// The bias of outputs 4*group .. 4*group+3 of this window.
fn bias_of(group: u32) -> vec4<f32> {
  var value = vec4<f32>(0.0);
  if (params.has_bias != 0u) { value = bias[params.first4 + group]; }
  return value;
}

// Stores outputs 4*group .. 4*group+3 of this window for one row. Outputs past the last are padding: zeros.
fn store(row: u32, group: u32, sum: vec4<f32>) {
  let out = 4u * group + vec4<u32>(0u, 1u, 2u, 3u);
  let at = row * params.y_stride4 + params.first4 + group;
  var value = sum;
  if (params.accumulate != 0u) { value = y[at] + value; }
  y[at] = select(vec4<f32>(0.0), value, out < vec4<u32>(params.outs));
}

fn finish(row: u32, group: u32, sum: vec4<f32>) {
  store(row, group, sum + bias_of(group));
}

// The same for rows first .. first + 7, as far as they exist. A loop over those that there are: drivers don't unroll it,
// which would make the kernel slow to build.
fn finish8(first: u32, group: u32, sums: array<vec4<f32>, 8>) {
  let b = bias_of(group);
  let end = min(first + 8u, params.rows);
  for (var row = first; row < end; row++) { store(row, group, sums[row - first] + b); }
}
