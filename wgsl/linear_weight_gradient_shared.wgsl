// The weight's gradient of a linear layer by tiles in workgroup memory, for GPUs: formula, shapes, order of accumulation in
// lib/linear_weight_gradient, with the same bits as other variants where all values are finite; layout in lib/shared,
// where a "k" is a row of x and dy. Rows past the last count as zeros of dy.
//#include grid
//#include linear_weight_gradient
//#include outer
//#include shared

const ROWS_K_FIRST = false;
const COLUMNS_K_FIRST = false;
const CHUNKED = true;

alias Rows = u32;
alias Columns = u32;

fn result_rows() -> u32 {
  return params.outs;
}

fn groups() -> u32 {
  return params.stride4;
}

fn steps() -> u32 {
  return (params.rows + 3u) / 4u;
}

// The vec4 of outputs. Those past the last repeat it, and are not stored.
fn rows_of(group: u32) -> Rows {
  return min(params.first4 + group, params.dy_stride4 - 1u);
}

// Of four outputs, the rows 4k .. 4k+3 of dy.
fn rows_at(outputs: Rows, k: u32) -> mat4x4<f32> {
  return mat4x4<f32>(dy_at(outputs, 4u * k), dy_at(outputs, 4u * k + 1u), dy_at(outputs, 4u * k + 2u), dy_at(outputs, 4u * k + 3u));
}

fn dy_at(outputs: Rows, row: u32) -> vec4<f32> {
  return select(vec4<f32>(0.0), dy[min(row, params.rows - 1u) * params.dy_stride4 + outputs], vec4<bool>(row < params.rows));
}

// The vec4 of columns. Those past the last repeat it, and are not stored.
fn columns_of(group: u32) -> Columns {
  return min(group, params.stride4 - 1u);
}

// Of four columns, the rows 4k .. 4k+3 of x. Rows past the last repeat it; dy is zero there.
fn columns_at(c: Columns, k: u32) -> mat4x4<f32> {
  let row = min(4u * k + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.rows - 1u)) * params.stride4 + c;
  return mat4x4<f32>(x[row.x], x[row.y], x[row.z], x[row.w]);
}

fn ends_chunk(k: u32) -> bool {
  return k >= steps() || (4u * k) % params.chunk == 0u;
}
