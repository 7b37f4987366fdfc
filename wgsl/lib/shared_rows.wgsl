// Rows of the input as lib/shared stages them: of four rows, one vec4 of k as a matrix, one column of four rows for each k.
const ROWS_K_FIRST = true;
const CHUNKED = false;

alias Rows = vec4<u32>;

fn result_rows() -> u32 {
  return params.rows;
}

fn rows_of(group: u32) -> Rows {
  return vec4<u32>(input_row(4u * group), input_row(4u * group + 1u), input_row(4u * group + 2u), input_row(4u * group + 3u));
}

fn rows_at(rows: Rows, k: u32) -> mat4x4<f32> {
  return transpose(mat4x4<f32>(input_at(rows.x + k), input_at(rows.y + k), input_at(rows.z + k), input_at(rows.w + k)));
}

fn ends_chunk(k: u32) -> bool {
  return false;
}
