// The three products of a linear layer in the tensor-core class, as one kernel: both factors are rounded to f16, products
// are summed in f32 (docs/precision.md). The `units` header multiplies small matrices, with the device's matrix units or in
// plain arithmetic; the `shape` header says how small.
//
//   y = (y_old) + (x W^T + bias)   left x, by rows     right W, by rows
//   dx = (dx_old) + dy W           left dy, by rows    right W, by depth
//   dw = (dw_old) + dy^T x         left dy, by depth   right x, by depth
//
// Shapes: result [rows, cols]; sums of `depth` terms. A factor is stored by rows where a line of the buffer holds one row's
// (left) or one column's (right) terms, by depth where it holds one term of all rows or columns. Lines are padded with zeros
// to whole vec4s. `first4`: where the part of a window begins in a line. Layout: a workgroup computes 8 M x 8 N results with
// eight subgroups of 4 x 2 matrices each, and keeps DEPTH terms of both factors in workgroup memory, in one or two BUFFERS.
// Accumulation: f32 in the units, terms ascending in groups of K; then / scale + bias; then the old value. `scaled`: left is
// a gradient, multiplied by the power of two that brings its largest magnitude (`extra`: 64 partial maxima as bits) to 2^14
// .. 2^15 before it is rounded, so that small ones don't vanish in f16; sums are divided by it, which changes no bit.
// Nothing is clamped: Inf, NaN, and what f16 can't hold, come out as such.
//#header units
//#header shape
//#header weight
//#include grid
//#include gradient_scale
struct Params {
  rows: u32,
  cols: u32,
  depth: u32,
  left_stride4: u32,
  left_first4: u32,
  right_stride4: u32,
  out_stride4: u32,
  out_first4: u32,
  has_bias: u32,
  scaled: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> left: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> right: array<W4>;
// The bias, or the partial maxima of a gradient, as bits.
@group(0) @binding(2) var<storage, read> extra: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

// Eight subgroups, of the largest size: a subgroup past the eighth only helps to load.
override WG: u32 = 256;
// A multiple of K; DEPTH * 8 M / 4 and DEPTH * 8 N / 4 are at most 4 WG.
override DEPTH: u32 = 32;
// Halves between two lines in workgroup memory, against conflicts of its banks.
override PAD: u32 = 8;
override BUFFERS: u32 = 1;
override LEFT_BY_DEPTH: u32 = 0;
override RIGHT_BY_DEPTH: u32 = 0;

const teams = 8u;
const tile_rows = 8u * M;
const tile_cols = 8u * N;
override left_width = select(DEPTH, tile_rows, LEFT_BY_DEPTH != 0u);
override left_pitch = left_width + PAD;
override left_size = (tile_rows * DEPTH / left_width) * left_pitch;
override left_room = BUFFERS * left_size;
override right_width = select(DEPTH, tile_cols, RIGHT_BY_DEPTH != 0u);
override right_pitch = right_width + PAD;
override right_size = (tile_cols * DEPTH / right_width) * right_pitch;
override right_room = BUFFERS * right_size;
var<workgroup> left_tile: array<Half, left_room>;
var<workgroup> right_tile: array<Half, right_room>;
// One matrix of each subgroup, on its way to the result.
var<workgroup> finished: array<f32, teams * M * N>;

// What an invocation carries from storage to workgroup memory.
struct Carried {
  left: array<vec4<f32>, 4>,
  right: array<vec4<f32>, 4>,
}

struct Place {
  lane: u32,
  lanes: u32,
  scale: f32,
}

// Past the end of a factor there are zeros, which add nothing to any sum.
fn left_piece(piece: u32, row: u32, term: u32) -> vec4<f32> {
  let by_depth = LEFT_BY_DEPTH != 0u;
  let line = piece / (left_width / 4u) + select(row, term, by_depth);
  let quad = piece % (left_width / 4u) + select(term, row, by_depth) / 4u;
  let lines = select(params.rows, params.depth, by_depth);
  let quads = (select(params.depth, params.rows, by_depth) + 3u) / 4u;
  var value = vec4<f32>(0.0);
  if (piece < tile_rows * DEPTH / 4u && line < lines && quad < quads) {
    value = left[line * params.left_stride4 + params.left_first4 + quad];
  }
  return value;
}

fn right_piece(piece: u32, col: u32, term: u32) -> vec4<f32> {
  let by_depth = RIGHT_BY_DEPTH != 0u;
  let line = piece / (right_width / 4u) + select(col, term, by_depth);
  let quad = piece % (right_width / 4u) + select(term, col, by_depth) / 4u;
  let lines = select(params.cols, params.depth, by_depth);
  let quads = (select(params.depth, params.cols, by_depth) + 3u) / 4u;
  var value = vec4<f32>(0.0);
  if (piece < tile_cols * DEPTH / 4u && line < lines && quad < quads) {
    value = widen(right[line * params.right_stride4 + quad]);
  }
  return value;
}

fn load(index: u32, row: u32, col: u32, term: u32) -> Carried {
  var carried = Carried();
  for (var i = 0u; i < 4u; i++) {
    carried.left[i] = left_piece(i * WG + index, row, term);
    carried.right[i] = right_piece(i * WG + index, col, term);
  }
  return carried;
}

fn put(carried: Carried, index: u32, buffer: u32, scale: f32) {
  for (var i = 0u; i < 4u; i++) {
    put_left(i * WG + index, buffer, carried.left[i] * scale);
    put_right(i * WG + index, buffer, carried.right[i]);
  }
}

fn load_and_put(index: u32, row: u32, col: u32, term: u32, scale: f32) {
  for (var i = 0u; i < times(4u); i++) {
    let piece = i * WG + index;
    put_left(piece, 0u, left_piece(piece, row, term) * scale);
    put_right(piece, 0u, right_piece(piece, col, term));
  }
}

fn put_left(piece: u32, buffer: u32, value: vec4<f32>) {
  if (piece >= tile_rows * DEPTH / 4u) { return; }
  let at = buffer * left_size + piece / (left_width / 4u) * left_pitch + 4u * (piece % (left_width / 4u));
  let halves = round_to_half(value);
  left_tile[at] = halves.x;
  left_tile[at + 1u] = halves.y;
  left_tile[at + 2u] = halves.z;
  left_tile[at + 3u] = halves.w;
}

fn put_right(piece: u32, buffer: u32, value: vec4<f32>) {
  if (piece >= tile_cols * DEPTH / 4u) { return; }
  let at = buffer * right_size + piece / (right_width / 4u) * right_pitch + 4u * (piece % (right_width / 4u));
  let halves = round_to_half(value);
  right_tile[at] = halves.x;
  right_tile[at + 1u] = halves.y;
  right_tile[at + 2u] = halves.z;
  right_tile[at + 3u] = halves.w;
}

fn left_matrix(buffer: u32, row: u32, term: u32) -> Left {
  if (LEFT_BY_DEPTH != 0u) { return left_by_depth(buffer * left_size + term * left_pitch + row, left_pitch); }
  return left_by_rows(buffer * left_size + row * left_pitch + term, left_pitch);
}

fn right_matrix(buffer: u32, col: u32, term: u32) -> Right {
  if (RIGHT_BY_DEPTH != 0u) { return right_by_depth(buffer * right_size + term * right_pitch + col, right_pitch); }
  return right_by_rows(buffer * right_size + col * right_pitch + term, right_pitch);
}

@diagnostic(off, chromium.subgroup_matrix_uniformity)
@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  member: Member,
) {
  // Neighbouring workgroups share columns: the weights in the forward product and in dx.
  let tiles = (params.rows + tile_rows - 1u) / tile_rows;
  let tile = workgroup_index(workgroup, grid);
  let row = tile_rows * (tile % max(tiles, 1u));
  let col = tile_cols * (tile / max(tiles, 1u));
  if (row >= params.rows || col >= params.cols) { return; }
  enter(member, index);
  let team = team_of(member, index);
  let at = Place(lane_of(member, index), lanes_of(member), gradient_scale());
  // A subgroup's part of the tile.
  let own_row = (team & 1u) * 4u * M;
  let own_col = (team / 2u) * 2u * N;
  var sums = Sums();
  if (carries) { put(load(index, row, col, 0u), index, 0u, at.scale); }
  for (var term = 0u; term < params.depth; term += DEPTH) {
    if (!carries) { load_and_put(index, row, col, term, at.scale); }
    workgroupBarrier();
    // Loads for the next round are under way while this one's products are summed.
    var next: Carried;
    if (carries) { next = load(index, row, col, term + DEPTH); }
    let buffer = (term / DEPTH) % BUFFERS;
    if (team < teams) {
      for (var k = 0u; k < times(DEPTH); k += K) { multiply(&sums, buffer, own_row, own_col, k); }
    }
    if (BUFFERS == 1u) { workgroupBarrier(); }
    if (carries) { put(next, index, (term / DEPTH + 1u) % BUFFERS, at.scale); }
  }
  // One matrix of each subgroup after the other, by way of workgroup memory.
  for (var i = 0u; i < times(8u); i++) {
    let begin = team * M * N;
    if (team < teams) { store(&sums, i, begin); }
    workgroupBarrier();
    if (team < teams) { finish(at, row + own_row + i / 2u * M, col + own_col + (i & 1u) * N, begin); }
    workgroupBarrier();
  }
}

// A matrix of sums to the result.
fn finish(at: Place, row: u32, col: u32, begin: u32) {
  for (var i = at.lane; i < M * N / 4u; i += at.lanes) {
    let r = row + i / (N / 4u);
    let c = col + 4u * (i % (N / 4u));
    if (r < params.rows && c < params.cols) { finish4(r, c, begin + 4u * i, at.scale); }
  }
}

// Columns past the last are padding: zeros.
fn finish4(row: u32, col: u32, begin: u32, scale: f32) {
  var value = vec4<f32>(finished[begin], finished[begin + 1u], finished[begin + 2u], finished[begin + 3u]) / scale;
  if (params.has_bias != 0u) { value = value + bitcast<vec4<f32>>(extra[params.out_first4 + col / 4u]); }
  let place = row * params.out_stride4 + params.out_first4 + col / 4u;
  if (params.accumulate != 0u) { value = result[place] + value; }
  result[place] = select(vec4<f32>(0.0), value, col + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
}
