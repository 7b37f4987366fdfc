// How a tile of query rows walks over its keys: the tile of rows that a workgroup owns, the paths of its segments, and the
// way from a path position to its row. Completed by lib/attention_tile and by bindings named tiles and segments.

// Consecutive rows of one query head, of one segment or of several children of one parent; offsets in L.
// Workgroup-uniform.
struct Tile {
  row: u32,
  count: u32,
  first_segment: u32,
  end_segment: u32,
  head: u32,
  query: u32,
  key: u32,
  value: u32,
}

fn tile_of(index: u32) -> Tile {
  let head = index % params.heads;
  let a = tiles[index / params.heads];
  let kv = (head / params.group) * params.lanes;
  return Tile(a.x, a.y, a.z, a.w, head, head * params.lanes, params.keys + kv, params.values + kv);
}

// The walk over one segment's path, on behalf of the tile's rows in it. Tiles of keys that lie wholly inside the parent
// come once, in the first segment's walk and for all rows; the other segments' walks begin where those end. So each row
// takes the same tiles of keys in the same order as alone. Workgroup-uniform.
struct Walk {
  parent_start: u32,
  parent_length: u32,
  // Row of path position p outside of the parent: own + p (modulo 2^32).
  own: u32,
  // The segment's rows that belong to the tile: those of the tile from `start` on and before `end`.
  start: u32,
  end: u32,
  // The first path position, and the last that any of these rows sees.
  first: u32,
  last: u32,
  // Path positions in the tiles of keys that all rows walk together.
  joint: u32,
}

fn walk_of(tile: Tile, segment: u32, tile_keys: u32) -> Walk {
  let a = segments[segment];
  let own = a.z - a.y;
  let end = min(tile.row + tile.count, a.z + a.w);
  let joint = a.y - a.y % tile_keys;
  return Walk(a.x, a.y, own, a.z, end, select(joint, 0u, segment == tile.first_segment), end - 1u - own, joint);
}

// Where the row of path position `p` begins in qkv. Positions after the last one are never added: any row will do.
fn row_at(walk: Walk, p: u32) -> u32 {
  let seen = min(p, walk.last);
  return select(walk.own + seen, walk.parent_start + seen, seen < walk.parent_length) * params.qkv_stride;
}

// How many path positions `row` sees in a walk: all up to itself, or the joint ones where it is another segment's.
fn seen_in(walk: Walk, row: u32) -> u32 {
  return select(walk.joint, row + 1u - walk.own, row >= walk.start && row < walk.end);
}

// Which of the path positions p .. p + 3 a row sees that sees the first `seen` ones.
fn sees(seen: u32, p: u32) -> vec4<bool> {
  return vec4<u32>(p) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(seen);
}
