// Attention for GPUs: a workgroup of 128 owns up to 64 rows (queries of one or more heads; in attention_key_gradient_shared
// keys) and walks over the others (keys; there queries) in tiles of 32. Two products follow upon each other: scores of
// 64 x 32, and 64 x D sums of the others' rows, weighted by what becomes of the scores. An invocation has 4 rows x 4
// others of the scores, and the same 4 rows x SLICES vec4s of columns of the sums, all in registers.
//
// Why so (arithmetic only; no GPU has timed it):
// - Workgroup memory: 400 + 544 vec4s = 15,104 of the 16,384 bytes that every device has, for any head size D: both
//   factors of the scores come in blocks of 16 columns, and the others' rows of the sums in blocks of 256 vec4s in the
//   same place. So at least six workgroups, 24 subgroups of 32, fit into 96 KiB.
// - Registers: 16 SLICES for sums (D = 64: 32; at most 128, one set of 8 slices or two of 4), 16 for scores (32 backward),
//   16 that are on their way from global memory, about 30 for addresses and row statistics.
// - Loads from workgroup memory: 2 vec4s for 16 multiply-adds of scores, 1 + SLICES for 16 SLICES of sums; a subgroup of 32
//   reads 4 and 8 different neighbouring vec4s, which is one pass over the banks without conflict.
// - Global memory: of a forward tile 64 D + 2 * 32 D floats for 2 * 64 * 32 D multiply-adds, 32 for each float, 8 a byte
//   (and half of those loads are the workgroup's own rows again, 16 KiB for D = 64, which a first-level cache holds). A
//   GPU with 30 T multiply-adds a second and 5 TB/s of second-level cache needs 6. Neighbours load neighbouring vec4s.
// - The loads of a block are under way while the one before is multiplied. A tile takes 2 (blocks of both) + 2 barriers;
//   between two of them lie at least 256 multiply-adds of each invocation.
//
// Order of sums: scores by columns ascending, sums by others ascending, one fma after the other. What a row does not see
// changes no bit of it. Source: Dao 2023, arXiv 2307.08691 (rows per workgroup, denominators reduced once at the end).
const INVOCATIONS = 128u;
const ROWS = 64u;
const OTHERS = 32u;
// Groups of 4 rows, and of 4 others (g, g + 8, g + 16, g + 24).
const ROW_GROUPS = 16u;
const GROUPS = 8u;
// Vec4s of columns in a block of both factors of the scores.
const BLOCK = 4u;
// Vec4s from one vec4 of columns to the next, 4 rows of the transposed block. 2 more than there are: the eight matrices
// that neighbours write at once begin at different banks.
const ROW_STEP = 4u * ROW_GROUPS + 2u;
const OTHER_STEP = 4u * GROUPS + 2u;
const FIRST_OTHER = BLOCK * ROW_STEP;
// Vec4s of rows of one other; one more than there are, so that the eight that neighbours write don't meet in one bank.
const PITCH = ROW_GROUPS + 1u;

// Vec4s of columns of each invocation: 1, 2, 4 or 8. 8 * SLICES vec4s is the width of the sums.
override SLICES: u32 = 2;

// Both factors of the scores, transposed (lib/outer), or of the sums 32 / SLICES rows of the others.
var<workgroup> staged: array<vec4<f32>, BLOCK * (ROW_STEP + OTHER_STEP)>;
// By other and group of rows: weights. Before, by group of others and group of rows: what rows have in common.
var<workgroup> weights: array<vec4<f32>, OTHERS * PITCH>;

// An invocation's place: its rows are 4 * rows + 0..3; its others, or its vec4 of columns in a slice, group.
struct Place {
  rows: u32,
  group: u32,
  lane: u32,
}

fn place_of(lane: u32) -> Place {
  return Place(lane / GROUPS, lane % GROUPS, lane);
}

fn four(first: u32) -> vec4<u32> {
  return first + vec4<u32>(0u, 1u, 2u, 3u);
}

// Places in a tile of an invocation's others.
fn others_of(group: u32) -> vec4<u32> {
  return group + GROUPS * vec4<u32>(0u, 1u, 2u, 3u);
}

// Of the scores' factors, the 4 x 4 matrix that an invocation stages: one of the rows' (the first 64), of the others'
// (the next 32), or none. Four neighbours load 64 bytes of a row.
struct Stage {
  loads: bool,
  of_rows: bool,
  // 4 * group + 0..3 of rows, or others_of(group)
  group: u32,
  // Vec4 of columns in a block.
  column: u32,
  to: u32,
  // Vec4s between the columns of the transposed matrix.
  step: u32,
}

fn stage_of(lane: u32) -> Stage {
  let of_rows = lane < ROWS;
  let group = select(lane - ROWS, lane, of_rows) / BLOCK;
  let column = lane % BLOCK;
  return Stage(lane < ROWS + OTHERS, of_rows, group, column,
    select(FIRST_OTHER + column * OTHER_STEP, column * ROW_STEP, of_rows) + group,
    select(GROUPS, ROW_GROUPS, of_rows));
}

// What an invocation stages: the beginnings of 4 rows in qkv or dy, and a factor on their values.
struct Factor {
  from_dy: bool,
  at: vec4<u32>,
  scale: f32,
}

// Columns past the head's last are zeros in both factors. Blocks from the last one on are the second pair's.
fn block_at(stage: Stage, factor: Factor, last_factor: Factor, blocks: u32, block: u32) -> mat4x4<f32> {
  let last = block >= blocks;
  let column = BLOCK * select(block, block - blocks, last) + stage.column;
  let from_dy = select(factor.from_dy, last_factor.from_dy, last);
  let at = select(factor.at, last_factor.at, last) + column;
  var m = mat4x4<f32>();
  if (stage.loads && column < params.lanes) { m = matrix_at(from_dy, at) * select(factor.scale, last_factor.scale, last); }
  return transpose(m);
}

// Products of 4 rows and 4 others: backward those of two pairs of factors.
struct Scores {
  before: Sums,
  last: Sums,
}

// Products of the rows' and the others' columns; backward of two pairs of factors, one after the other. All invocations
// call it together; those that aren't `busy` have no use for theirs. Each time round a block is loaded and the one before
// it multiplied: one place in the text for each, since loads are what takes drivers long to build.
fn scores(place: Place, stage: Stage, factor: Factor, last_factor: Factor, pairs: u32, busy: bool) -> Scores {
  var before = Sums();
  var sums = Sums();
  let blocks = (params.lanes + BLOCK - 1u) / BLOCK;
  for (var block = 0u;; block++) {
    let next = block_at(stage, factor, last_factor, blocks, block);
    if (block > 0u) {
      let held = block - select(1u, blocks + 1u, block > blocks);
      let columns = select(0u, min(BLOCK, params.lanes - BLOCK * held), busy);
      for (var c = 0u; c < columns; c++) {
        let a = c * ROW_STEP + place.rows;
        let b = FIRST_OTHER + c * OTHER_STEP + place.group;
        sums = add_k(sums, staged[a], staged[b]);
        sums = add_k(sums, staged[a + ROW_GROUPS], staged[b + GROUPS]);
        sums = add_k(sums, staged[a + 2u * ROW_GROUPS], staged[b + 2u * GROUPS]);
        sums = add_k(sums, staged[a + 3u * ROW_GROUPS], staged[b + 3u * GROUPS]);
      }
    }
    if (block == pairs * blocks) { break; }
    if (pairs > 1u && block == blocks) {
      before = sums;
      sums = Sums();
    }
    workgroupBarrier();
    if (stage.loads) {
      staged[stage.to] = next[0];
      staged[stage.to + stage.step] = next[1];
      staged[stage.to + 2u * stage.step] = next[2];
      staged[stage.to + 3u * stage.step] = next[3];
    }
    workgroupBarrier();
  }
  return Scores(before, sums);
}

// Hands the weights of 4 rows x 4 others on to the invocations that have the same rows.
fn hold(place: Place, w: Sums) {
  let by_other = transpose(mat4x4<f32>(w[0], w[1], w[2], w[3]));
  let to = place.group * PITCH + place.rows;
  weights[to] = by_other[0];
  weights[to + GROUPS * PITCH] = by_other[1];
  weights[to + 2u * GROUPS * PITCH] = by_other[2];
  weights[to + 3u * GROUPS * PITCH] = by_other[3];
}

// Sums of 4 rows x SLICES vec4s of columns; those past SLICES don't exist.
struct Slices {
  s0: Sums,
  s1: Sums,
  s2: Sums,
  s3: Sums,
  s4: Sums,
  s5: Sums,
  s6: Sums,
  s7: Sums,
}

// For storing one after the other, in loops that drivers don't unroll.
fn slices_of(sums: Slices) -> array<Sums, 8> {
  return array<Sums, 8>(sums.s0, sums.s1, sums.s2, sums.s3, sums.s4, sums.s5, sums.s6, sums.s7);
}

// Which rows of others are summed: those of a tile that begins at path position `first`.
struct Source {
  path: Path,
  first: u32,
  from_dy: bool,
  stride: u32,
  // First L of the summed columns in a row, and how many there are.
  column: u32,
  lanes: u32,
}

fn row_of(path: Path, p: u32) -> u32 {
  let seen = min(p, path.last);
  return select(path.own + seen, path.parent_start + seen, seen < path.parent_length);
}

// Of the tile's rows from `other` on, the i-th vec4. Columns past the last repeat it: their sums are not stored.
fn source_at(source: Source, other: u32, i: u32) -> vec4<f32> {
  let row = row_of(source.path, source.first + other + i / (GROUPS * SLICES));
  return vector_at(source.from_dy, row * source.stride + source.column + min(i % (GROUPS * SLICES), source.lanes - 1u));
}

// Of each of an invocation's rows, the others of a tile that it sees: from `begin` on and before `end`.
struct Seen {
  begin: vec4<u32>,
  end: vec4<u32>,
}

fn least(v: vec4<u32>) -> u32 {
  return min(min(v.x, v.y), min(v.z, v.w));
}

fn most(v: vec4<u32>) -> u32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

fn sees_any(seen: Seen) -> bool {
  return any(seen.begin < seen.end);
}

// Adds what a row sees, and nothing for others, not even 0 * NaN.
fn add_seen(sums: Sums, a: vec4<f32>, b: vec4<f32>, see: vec4<bool>) -> Sums {
  let all = add_k(sums, a, b);
  return Sums(select(sums[0], all[0], see.x), select(sums[1], all[1], see.y), select(sums[2], all[2], see.z), select(sums[3], all[3], see.w));
}

// sums += weights x others. All invocations call it together, after `hold`; `count` others of the tile exist.
fn add_others(sums: ptr<function, Slices>, place: Place, source: Source, seen: Seen, count: u32) {
  let held = OTHERS / SLICES;
  let begin = least(seen.begin);
  let end = most(seen.end);
  let all_begin = most(seen.begin);
  let all_end = least(seen.end);
  // As in `scores`: rows from `next` on are loaded, and the `held` ones before multiplied.
  for (var next = 0u;; next += held) {
    var low = vec4<f32>();
    var high = vec4<f32>();
    if (next < count) {
      low = source_at(source, next, place.lane);
      high = source_at(source, next, place.lane + INVOCATIONS);
    }
    let first = max(next, held) - held;
    for (var j = max(begin, first); j < min(end, next); j++) {
      let a = weights[j * PITCH + place.rows];
      let at = (j - first) * GROUPS * SLICES + place.group;
      if (j >= all_begin && j < all_end) {
        (*sums).s0 = add_k((*sums).s0, a, staged[at]);
        if (SLICES > 1u) { (*sums).s1 = add_k((*sums).s1, a, staged[at + GROUPS]); }
        if (SLICES > 2u) {
          (*sums).s2 = add_k((*sums).s2, a, staged[at + 2u * GROUPS]);
          (*sums).s3 = add_k((*sums).s3, a, staged[at + 3u * GROUPS]);
        }
        if (SLICES > 4u) {
          (*sums).s4 = add_k((*sums).s4, a, staged[at + 4u * GROUPS]);
          (*sums).s5 = add_k((*sums).s5, a, staged[at + 5u * GROUPS]);
          (*sums).s6 = add_k((*sums).s6, a, staged[at + 6u * GROUPS]);
          (*sums).s7 = add_k((*sums).s7, a, staged[at + 7u * GROUPS]);
        }
      } else {
        let see = (vec4<u32>(j) >= seen.begin) & (vec4<u32>(j) < seen.end);
        (*sums).s0 = add_seen((*sums).s0, a, staged[at], see);
        if (SLICES > 1u) { (*sums).s1 = add_seen((*sums).s1, a, staged[at + GROUPS], see); }
        if (SLICES > 2u) {
          (*sums).s2 = add_seen((*sums).s2, a, staged[at + 2u * GROUPS], see);
          (*sums).s3 = add_seen((*sums).s3, a, staged[at + 3u * GROUPS], see);
        }
        if (SLICES > 4u) {
          (*sums).s4 = add_seen((*sums).s4, a, staged[at + 4u * GROUPS], see);
          (*sums).s5 = add_seen((*sums).s5, a, staged[at + 5u * GROUPS], see);
          (*sums).s6 = add_seen((*sums).s6, a, staged[at + 6u * GROUPS], see);
          (*sums).s7 = add_seen((*sums).s7, a, staged[at + 7u * GROUPS], see);
        }
      }
    }
    if (next >= count) { break; }
    workgroupBarrier();
    staged[place.lane] = low;
    staged[place.lane + INVOCATIONS] = high;
    workgroupBarrier();
  }
}
