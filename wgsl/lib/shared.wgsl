// A product of matrices (lib/linear, lib/linear_input_gradient, lib/linear_weight_gradient say which) for GPUs: a
// workgroup of 64 computes 64 x 64 results, each invocation 8 rows x 8 columns in registers (or half as many rows: HALVES).
// Blocks of 16 k of both
// factors pass through workgroup memory, staged as 4x4 matrices, one of each factor by each invocation. The loads of the
// next block are under way while one is multiplied.
//
// Why so (arithmetic only; no GPU has timed it): for one k an invocation reads 4 vec4s of workgroup memory and does 64
// multiply-adds (4 x 4 results would need 2 for 16); a subgroup of 32 reads 4 and 8 neighbouring vec4s, without conflicts.
// Between two barriers lie 1,024 multiply-adds of each invocation. A block is 128 * 16 floats for 64 * 64 * 16
// multiply-adds, 32 for each float, 8 a byte; a GPU with 30 T multiply-adds a second and 5 TB/s of second-level cache needs
// 6. About 130 registers (64 sums, 32 under way, 16 factors; 64 more for totals of chunks) and 8,704 bytes of workgroup
// memory: eight workgroups fit into 65,536 registers. A second pair of blocks, which would save one barrier of two, would
// take 17,408 bytes: more than every device has. With one half of the rows an invocation reads 3 vec4s for 32 multiply-adds,
// but has half the sums, and there are twice as many workgroups: for results that are too small to fill a GPU.
const WG = 64u;
// Groups of 4 rows or columns in a tile, and vec4s of k in a block.
const GROUPS = 16u;
const BLOCK = 4u;
// Halves of a tile's rows: 2, or 1 for tiles of 32 rows.
override HALVES: u32 = 2;
// Groups of one k; one more than there are, so that neighbours in k don't meet in one bank.
const PITCH = GROUPS + 1u;

var<workgroup> held_rows: array<vec4<f32>, 4u * BLOCK * PITCH>;
var<workgroup> held_columns: array<vec4<f32>, 4u * BLOCK * PITCH>;

fn plus(a: Sums, b: Sums) -> Sums {
  return Sums(a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]);
}

// Which matrix of a block an invocation stages, as (vec4 of k, group): a subgroup of 32 loads what lies side by side, four
// vec4s of k of eight rows or one of k for all groups. Eight neighbours, which write 128 bytes at once, write to different
// banks: 4 * PITCH * x + y is another number modulo 8 for each, since they have 2 vec4s of k of 4 groups, or one of 8.
fn matrix_of(lane: u32, k_first: bool) -> vec2<u32> {
  let crossed = vec2<u32>(lane % 2u + lane / 8u % 2u * 2u, lane / 2u % 4u + lane / 16u * 4u);
  return select(vec2<u32>(lane / GROUPS, lane % GROUPS), crossed, k_first);
}

fn hold_rows(at: u32, a: mat4x4<f32>) {
  held_rows[at] = a[0];
  held_rows[at + PITCH] = a[1];
  held_rows[at + 2u * PITCH] = a[2];
  held_rows[at + 3u * PITCH] = a[3];
}

fn hold_columns(at: u32, b: mat4x4<f32>) {
  held_columns[at] = b[0];
  held_columns[at + PITCH] = b[1];
  held_columns[at + 2u * PITCH] = b[2];
  held_columns[at + 3u * PITCH] = b[3];
}

// Rows are 4 * group .. 4 * group + 3.
fn finish4(group_of_rows: u32, group: u32, sums: Sums) {
  if (group >= groups()) { return; }
  let first = 4u * group_of_rows;
  let end = min(first + 4u, result_rows());
  for (var row = first; row < end; row++) { finish(row, group, sums[row - first]); }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row_groups = GROUPS / 2u * HALVES;
  let tiles = (result_rows() + 4u * row_groups - 1u) / (4u * row_groups);
  let index = workgroup_index(workgroup, grid);
  let first_rows = row_groups * (index % tiles);
  let first_columns = GROUPS * (index / tiles);
  if (first_columns >= groups()) { return; }
  let mine = matrix_of(lane, ROWS_K_FIRST);
  let rows = rows_of(first_rows + mine.y);
  let put_rows = 4u * mine.x * PITCH + mine.y;
  let own = matrix_of(lane, COLUMNS_K_FIRST);
  let columns = columns_of(first_columns + own.y);
  let put_columns = 4u * own.x * PITCH + own.y;
  let row = lane / 8u;
  let column = lane % 8u;
  // Rows of the first or second half (0, 1), columns likewise. t: totals of chunks, where sums are cut into such.
  var s00 = Sums();
  var s01 = Sums();
  var s10 = Sums();
  var s11 = Sums();
  var t00 = Sums();
  var t01 = Sums();
  var t10 = Sums();
  var t11 = Sums();
  // Each time a block is loaded and the one before multiplied; at first there is none before, at last none to load. What the
  // last block holds past the last k is not used.
  let blocks = (steps() + BLOCK - 1u) / BLOCK;
  for (var block = 0u;; block++) {
    var a = mat4x4<f32>();
    var b = mat4x4<f32>();
    if (block < blocks) {
      if (mine.y < row_groups) { a = rows_at(rows, min(BLOCK * block + mine.x, steps() - 1u)); }
      b = columns_at(columns, min(BLOCK * block + own.x, steps() - 1u));
    }
    let before = BLOCK * (max(block, 1u) - 1u);
    let end = select(4u * min(BLOCK, steps() - before) * PITCH, 0u, block == 0u);
    for (var k = 0u; k < end; k += PITCH) {
      let a0 = held_rows[k + row];
      let b0 = held_columns[k + column];
      let b1 = held_columns[k + column + 8u];
      s00 = add_k(s00, a0, b0);
      s01 = add_k(s01, a0, b1);
      if (HALVES > 1u) {
        let a1 = held_rows[k + row + 8u];
        s10 = add_k(s10, a1, b0);
        s11 = add_k(s11, a1, b1);
      }
    }
    if (CHUNKED && block > 0u && ends_chunk(BLOCK * block)) {
      t00 = plus(t00, s00);
      t01 = plus(t01, s01);
      t10 = plus(t10, s10);
      t11 = plus(t11, s11);
      s00 = Sums();
      s01 = Sums();
      s10 = Sums();
      s11 = Sums();
    }
    if (block == blocks) { break; }
    workgroupBarrier();
    if (mine.y < row_groups) { hold_rows(put_rows, a); }
    hold_columns(put_columns, b);
    workgroupBarrier();
  }
  if (CHUNKED) {
    s00 = t00;
    s01 = t01;
    s10 = t10;
    s11 = t11;
  }
  // Loops over the halves that there are: drivers don't unroll them, which would make this kernel slow to build.
  var sums = array<Sums, 4>(s00, s01, s10, s11);
  for (var i = 0u; i < HALVES && 4u * (first_rows + 8u * i) < result_rows(); i++) {
    for (var j = 0u; j < 2u && first_columns + 8u * j < groups(); j++) {
      finish4(first_rows + row + 8u * i, first_columns + column + 8u * j, sums[2u * i + j]);
    }
  }
}
