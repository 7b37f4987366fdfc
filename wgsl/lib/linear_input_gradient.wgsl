// What every variant of the input's gradient of a linear layer shares (as lib/linear does for its forward).
//
// dx = (dx_old) + dy W. Shapes: dy [T, N] f32; w [N, K] as stored, bound as a window of `outs` rows from row 4 * first4
// on; dx [T, K] f32; rows padded with zeros to whole vec4s. Accumulation: one f32 accumulator per result, from 0,
// outputs ascending, fma(dy, w, acc); then dx_old + that. dy's padding adds zeros.
struct Params {
  rows: u32,
  outs: u32,
  cols: u32,
  stride4: u32,
  w_stride4: u32,
  dy_stride4: u32,
  first4: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<W4>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

// Vec4s of columns.
fn groups() -> u32 {
  return params.stride4;
}

// Vec4s of this window's outputs.
fn steps() -> u32 {
  return (params.outs + 3u) / 4u;
}

// Where the outputs of this window begin in a row of dy. Rows past the last repeat it; what they give is not stored.
fn input_row(row: u32) -> u32 {
  return min(row, params.rows - 1u) * params.dy_stride4 + params.first4;
}

fn input_at(index: u32) -> vec4<f32> {
  return dy[index];
}

// A vec4 of columns; columns are what lies side by side.
alias Columns = u32;
const COLUMNS_K_FIRST = false;

// Those past the last repeat it, and are not stored.
fn columns_of(group: u32) -> Columns {
  return min(group, params.stride4 - 1u);
}

// Of four columns, the weights of outputs 4k .. 4k+3. Outputs past the last repeat it: dy is zero there.
fn columns_at(c: Columns, k: u32) -> mat4x4<f32> {
  let out = min(4u * k + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.outs - 1u)) * params.w_stride4 + c;
  return mat4x4<f32>(widen(w[out.x]), widen(w[out.y]), widen(w[out.z]), widen(w[out.w]));
}

// Stores columns 4*c .. 4*c+3 of one row. Columns past the last are padding: zeros.
fn finish(row: u32, c: u32, sum: vec4<f32>) {
  let at = row * params.stride4 + c;
  var value = sum;
  if (params.accumulate != 0u) { value = dx[at] + value; }
  dx[at] = select(vec4<f32>(0.0), value, 4u * c + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
}

// The same for rows first .. first + 7, as far as they exist. A loop over those that there are: drivers don't unroll it,
// which would make the kernel slow to build.
fn finish8(first: u32, c: u32, sums: array<vec4<f32>, 8>) {
  let end = min(first + 8u, params.rows);
  for (var row = first; row < end; row++) { finish(row, c, sums[row - first]); }
}
