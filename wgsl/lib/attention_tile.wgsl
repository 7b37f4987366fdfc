// What the attention kernels share, forward and backward: parameters, the tile of query rows that a workgroup owns, the
// way from a path position to its row, scores and weighted sums of four rows. Completed by lib/lanes, which says what L
// is, and by bindings named qkv and tiles.
struct Params {
  tiles: u32,
  heads: u32,
  // Query heads per key/value head.
  group: u32,
  // L per head.
  lanes: u32,
  qkv_stride: u32,
  y_stride: u32,
  // First L of the keys and of the values in a row.
  keys: u32,
  values: u32,
  scale: f32,
  // Floats per row of lse and delta. Forward: 0 where the log-sum-exp is not kept.
  lse_stride: u32,
}

override WG: u32 = 32;

// Consecutive rows of one segment and one query head, all offsets in L. Workgroup-uniform.
struct Tile {
  row: u32,
  count: u32,
  position: u32,
  parent_start: u32,
  parent_length: u32,
  // Row of path position p outside of the parent: own + p (modulo 2^32).
  own: u32,
  // The last path position that any row of the tile sees.
  last: u32,
  head: u32,
  query: u32,
  key: u32,
  value: u32,
}

// Tiles are two vec4s: first row, rows, first path position, parent's start; parent's length, segment's start, 0, 0.
fn tile_of(index: u32) -> Tile {
  let head = index % params.heads;
  let a = tiles[2u * (index / params.heads)];
  let b = tiles[2u * (index / params.heads) + 1u];
  let kv = (head / params.group) * params.lanes;
  return Tile(a.x, a.y, a.z, a.w, b.x, b.y - b.x, a.z + a.y - 1u, head, head * params.lanes, params.keys + kv, params.values + kv);
}

// Where the row of path position `p` begins in qkv. Positions after the last one are never added: any row will do.
fn row_at(tile: Tile, p: u32) -> u32 {
  let seen = min(p, tile.last);
  return select(tile.own + seen, tile.parent_start + seen, seen < tile.parent_length) * params.qkv_stride;
}

// Which of the path positions p .. p + 3 a row at path position `self_position` sees.
fn sees(self_position: u32, p: u32) -> vec4<bool> {
  return vec4<u32>(p) + vec4<u32>(0u, 1u, 2u, 3u) <= vec4<u32>(self_position);
}

// acc + weights . values over the four rows that are seen; the others add nothing, not even 0 * NaN.
fn add4(acc: L, weights: vec4<f32>, seen: vec4<bool>, v0: L, v1: L, v2: L, v3: L) -> L {
  let a0 = select(acc, fma(L(weights.x), v0, acc), seen.x);
  let a1 = select(a0, fma(L(weights.y), v1, a0), seen.y);
  let a2 = select(a1, fma(L(weights.z), v2, a1), seen.z);
  return select(a2, fma(L(weights.w), v3, a2), seen.w);
}

fn scores4(q: L, k0: L, k1: L, k2: L, k3: L) -> vec4<f32> {
  return vec4<f32>(dot(q, k0), dot(q, k1), dot(q, k2), dot(q, k3));
}
